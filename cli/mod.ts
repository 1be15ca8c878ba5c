/**
 * The command line's door, for the tests that compare the documents with its flags. The program
 * begins in main.ts, which loads a subcommand only when it is used.
 *
 * @module
 */

export { copyCommand } from "./options/copy.ts";
export { serveCommand } from "./options/serve.ts";
