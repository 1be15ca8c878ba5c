/**
 * The flag `--memory-limit` of the subcommands that have a store of their own.
 *
 * @module
 */

import { memoryLimitBytesMax } from "../../protocol.ts";
import { serverDefaults } from "../../server.ts";
import type { Option } from "../option.ts";
import { typedBytes } from "../values.ts";

/** `--memory-limit`. */
export const memoryLimit = {
  name: "memory-limit",
  kind: "bytes",
  value: "SIZE",
  env: "BLINK_MEMORY_LIMIT",
  default: typedBytes(serverDefaults.memoryLimitBytes),
  help: "bytes of all keys and values",
  group: "Limits",
  min: 2 ** 10,
  max: memoryLimitBytesMax,
} as const satisfies Option;

/** What the limit does not count. */
export const memoryNotes = [
  "The memory limit counts keys and values; an entry takes some 40 bytes more of",
  "memory. The arena holds 32 GiB, which tiny entries can fill below the limit.",
] as const;
