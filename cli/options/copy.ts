/**
 * The flags of `blink-store copy`.
 *
 * @module
 */

import { copyDefaults } from "../../copy/mod.ts";
import type { Subcommand } from "../option.ts";
import { typedBytes } from "../values.ts";

const which = "From where to where";
const how = "What is copied";
const running = "Running";

/** `blink-store copy`. */
export const copyCommand = {
  name: "copy",
  usage: ["--from ADDRESS --to ADDRESS [flags]"],
  options: [
    { name: "from", kind: "text", value: "ADDRESS", help: "the source", group: which },
    { name: "to", kind: "text", value: "ADDRESS", help: "the target", group: which },
    {
      name: "from-password-file",
      kind: "path",
      value: "PATH",
      env: "BLINK_FROM_PASSWORD_FILE",
      help: "log in with the password in this file",
      group: which,
    },
    {
      name: "to-password-file",
      kind: "path",
      value: "PATH",
      env: "BLINK_TO_PASSWORD_FILE",
      help: "the same for the target",
      group: which,
    },
    {
      name: "ca-file",
      kind: "path",
      value: "PATH",
      help: "certificates to trust for rediss://",
      group: which,
    },
    { name: "match", kind: "text", value: "GLOB", help: "only these keys", group: how },
    {
      name: "if-present",
      kind: "text",
      value: "ACTION",
      choices: ["overwrite", "skip"],
      default: copyDefaults.ifPresent,
      help: "or skip keys the target has",
      group: how,
    },
    {
      name: "skip-other-types",
      kind: "switch",
      help: "status 0 despite hashes, lists, …",
      group: how,
    },
    { name: "dry-run", kind: "switch", help: "only count", group: how },
    { name: "resume", kind: "path", value: "FILE", help: "keep the place here", group: running },
    {
      name: "retry",
      kind: "seconds",
      value: "SECONDS",
      default: String(copyDefaults.retryMs / 1000),
      help: "try a lost side again for this long",
      group: running,
      max: 86_400,
    },
    {
      name: "batch-keys",
      kind: "count",
      value: "N",
      default: String(copyDefaults.batchKeys),
      help: "entries at a time",
      group: running,
      min: 1,
      max: 10_000,
    },
    {
      name: "batch-bytes",
      kind: "bytes",
      value: "SIZE",
      default: typedBytes(copyDefaults.batchBytes),
      help: "bytes of their values",
      group: running,
      min: 1,
      max: 2 ** 30,
    },
    { name: "quiet", short: "q", kind: "switch", help: "print only errors", group: running },
  ],
  notes: [
    "ADDRESS: redis://[USER:PASSWORD@]HOST:PORT[/DB], rediss:// (TLS), unix:///PATH,",
    "blink://HOST:PORT, HOST:PORT. Passwords: BLINK_FROM_PASSWORD, BLINK_TO_PASSWORD.",
  ],
} as const satisfies Subcommand;
