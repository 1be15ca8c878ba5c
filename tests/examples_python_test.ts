/** The programs of `docs/guides/python.md`. @module */

import { examples, testLanguage } from "./examples.ts";

await testLanguage({
  name: "python",
  needs: [["python3", "--version"]],
  command: (program) => ["python3", "-B", `${examples}python/${program}.py`],
});
