/** The programs of `docs/guides/node.md`. @module */

import { examples, testLanguage } from "./examples.ts";

await testLanguage({
  name: "node",
  needs: [["node", "--version"]],
  command: (program) => ["node", `${examples}node/${program}.mjs`],
});
