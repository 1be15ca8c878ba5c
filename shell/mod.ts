/**
 * The shell's door: the interactive client, one-off and piped commands, which `blink-store client`
 * and `blink-store run` start.
 *
 * @module
 */

export { runClient } from "./client.ts";
export { exitStatus } from "./options.ts";
export type {
  ClientMode,
  ClientOptions,
  OutputFormat,
  ShellIo,
  ShellOutput,
  ShellStore,
} from "./options.ts";
