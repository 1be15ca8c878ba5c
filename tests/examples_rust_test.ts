/** The programs of `docs/guides/rust.md`, built once by rustc alone. @module */

import { assertEquals } from "./assert.ts";
import { examples, run, testLanguage } from "./examples.ts";

await testLanguage({
  name: "rust",
  needs: [["rustc", "--version"]],
  build: async (folder) => {
    for (const program of ["client", "oneoff", "backend"]) {
      const source = `${examples}rust/${program}.rs`;
      const { code, stderr } = await run(
        [
          "rustc",
          "--edition",
          "2021",
          "-D",
          "warnings",
          "-O",
          "-o",
          `${folder}/${program}`,
          source,
        ],
      );
      assertEquals(code, 0, stderr);
    }
  },
  command: (program, folder) => [`${folder}/${program}`],
});
