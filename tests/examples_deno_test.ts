/** The programs of `docs/guides/deno.md`, run by the Deno that runs the tests. @module */

import { examples, testLanguage } from "./examples.ts";

const deno = Deno.execPath();

await testLanguage({
  name: "deno",
  needs: [[deno, "--version"]],
  command: (program) => [
    deno,
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-net=127.0.0.1",
    "--allow-env",
    `${examples}deno/${program}.ts`,
  ],
});
