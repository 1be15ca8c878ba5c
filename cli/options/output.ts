/**
 * The flags of the subcommands that print replies.
 *
 * @module
 */

import type { Option } from "../option.ts";

const output = "Output";

/** The flags that choose how replies are printed. */
export const outputOptions = [
  { name: "raw", kind: "switch", help: "a value's exact bytes, no line feed added", group: output },
  { name: "json", kind: "switch", help: "one JSON document a reply", group: output },
  { name: "csv", kind: "switch", help: "one CSV record a reply", group: output },
  {
    name: "json-values",
    kind: "switch",
    help: "print values that are JSON over several lines",
    group: output,
  },
] as const satisfies readonly Option[];
