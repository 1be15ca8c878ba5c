/** The programs of `docs/guides/go.md`, built once without any module but the standard library. @module */

import { assertEquals } from "./assert.ts";
import { examples, run, testLanguage } from "./examples.ts";

await testLanguage({
  name: "go",
  needs: [["go", "version"]],
  build: async (folder) => {
    const env = { GOPROXY: "off", GOWORK: "off", GOTOOLCHAIN: "local" };
    const { code, stderr } = await run(
      [
        "go",
        "build",
        "-C",
        `${examples}go`,
        "-o",
        `${folder}/`,
        "./client",
        "./oneoff",
        "./backend",
      ],
      { env },
    );
    assertEquals(code, 0, stderr);
  },
  command: (program, folder) => [`${folder}/${program}`],
});
