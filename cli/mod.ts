/**
 * The command line's door, for the tests that hold the documents against its flags. The program
 * itself begins in main.ts, which loads a subcommand only when it is asked for.
 *
 * @module
 */

export { serveCommand } from "./options/serve.ts";
