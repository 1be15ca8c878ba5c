/**
 * The flags of `blink-store bench`.
 *
 * @module
 */

import { loadDefaults } from "../../loadgen/mod.ts";
import type { Subcommand } from "../option.ts";
import { storeOptions } from "./store.ts";

const load = "The load";

/** `blink-store bench`. */
export const benchCommand = {
  name: "bench",
  usage: ["[flags] [HOST [PORT]]"],
  options: [
    ...storeOptions,
    {
      name: "connections",
      short: "c",
      kind: "count",
      value: "N",
      default: String(loadDefaults.connections),
      help: "connections",
      group: load,
      min: 1,
      max: 10_000,
    },
    {
      name: "pipeline",
      short: "P",
      kind: "count",
      value: "N",
      default: String(loadDefaults.pipeline),
      help: "requests in flight on each",
      group: load,
      min: 1,
      max: 10_000,
    },
    {
      name: "requests",
      short: "n",
      kind: "count",
      value: "N",
      default: String(loadDefaults.requests),
      help: "how many in all",
      group: load,
      min: 1,
    },
    {
      name: "seconds",
      kind: "seconds",
      value: "SECONDS",
      help: "how long, instead of how many",
      group: load,
      min: 0.1,
      max: 86_400,
    },
    {
      name: "mix",
      kind: "text",
      value: "PARTS",
      default: `get=${loadDefaults.mix.get},set=${loadDefaults.mix.set}`,
      help: "get, set, delete, incr, ping",
      group: load,
    },
    { name: "fill", kind: "switch", help: "set each key once before, unmeasured", group: load },
    {
      name: "value-bytes",
      short: "d",
      kind: "bytes",
      value: "SIZE",
      default: String(loadDefaults.valueBytes),
      help: "a value",
      group: "The keys",
      max: 16 * 2 ** 20,
    },
    {
      name: "keys",
      short: "r",
      kind: "count",
      value: "N",
      default: String(loadDefaults.keys),
      help: "how many there are",
      group: "The keys",
      min: 1,
      max: 1_000_000_000,
    },
    {
      name: "zipf",
      kind: "number",
      value: "EXPONENT",
      help: "some keys more often, such as 1.0",
      group: "The keys",
      max: 10,
    },
    { name: "json", kind: "switch", help: "print the result as JSON", group: "Output" },
  ],
  notes: [
    "It writes to keys key:… and cnt:… of the store that it measures. BLINK_STORE and",
    "BLINK_TOKEN say which store, as they do for the client.",
  ],
} as const satisfies Subcommand;
