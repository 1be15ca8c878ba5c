/**
 * The flags of `blink-store run`.
 *
 * @module
 */

import type { Subcommand } from "../option.ts";
import { memoryLimit, memoryNotes } from "./memory_limit.ts";
import { outputOptions } from "./output.ts";

/** `blink-store run`. */
export const runCommand = {
  name: "run",
  usage: ["[flags] [COMMAND [word ...]]"],
  options: [
    memoryLimit,
    ...outputOptions,
  ],
  notes: [
    "What it holds is gone when it ends. Commands may also be piped in, a line each.",
    ...memoryNotes,
  ],
} as const satisfies Subcommand;
