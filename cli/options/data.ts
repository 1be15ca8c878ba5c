/**
 * The flags of `blink-store data`.
 *
 * @module
 */

import type { Subcommand } from "../option.ts";

const target = "A running server instead of FILE";

/** `blink-store data`. */
export const dataCommand = {
  name: "data",
  usage: ["check FILE", "dump FILE", "load FILE", "load --to HOST:PORT"],
  options: [
    {
      name: "to",
      kind: "address",
      value: "HOST:PORT",
      help: "load into this server",
      group: target,
    },
    {
      name: "token-file",
      kind: "path",
      value: "PATH",
      env: "BLINK_TOKEN_FILE",
      help: "log in with the token in this file",
      group: target,
    },
  ],
  notes: [
    "check verifies the structure and every checksum. dump writes each entry as a",
    'line of JSON, {"key":"k","value":"v"}, with "expires_at", "key_base64" and',
    '"value_base64" where they are needed; load reads such lines. A server may have',
    "the file open meanwhile, but for load.",
  ],
} as const satisfies Subcommand;
