/** The programs of `docs/guides/shell.md`. @module */

import { examples, testLanguage } from "./examples.ts";

await testLanguage({
  name: "shell",
  needs: [["bash", "--version"], ["socat", "-V"]],
  command: (program) => ["bash", `${examples}shell/${program}.sh`],
  fixedPort: true,
});
