/**
 * The flags of `blink-store client`.
 *
 * @module
 */

import type { Subcommand } from "../option.ts";
import { outputOptions } from "./output.ts";
import { storeOptions } from "./store.ts";

const running = "Running";

/** `blink-store client`. */
export const clientCommand = {
  name: "client",
  usage: ["[flags] [HOST [PORT]]", "[flags] COMMAND [word ...]"],
  options: [
    ...storeOptions,
    ...outputOptions,
    {
      name: "stdin",
      short: "x",
      kind: "switch",
      help: "take the command's last word from standard input",
      group: running,
    },
    {
      name: "repeat",
      short: "r",
      kind: "count",
      value: "N",
      help: "run the command N times; 0: until stopped",
      group: running,
      min: 0,
    },
    {
      name: "interval",
      short: "i",
      kind: "seconds",
      value: "SECONDS",
      help: "the pause between two runs",
      group: running,
    },
    { name: "stat", kind: "switch", help: "show a live line a second", group: running },
    {
      name: "scan",
      kind: "optional text",
      value: "[PREFIX]",
      help: "list the keys, a line each",
      group: running,
    },
    { name: "latency", kind: "switch", help: "measure round trips", group: running },
  ],
  notes: [
    "BLINK_STORE=HOST:PORT and BLINK_TOKEN say which store; BLINK_HISTORY= keeps no",
    "history, NO_COLOR=1 no colours. Exit status 1: an error, or not found.",
  ],
} as const satisfies Subcommand;
