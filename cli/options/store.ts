/**
 * The flags of the subcommands that connect to a server.
 *
 * @module
 */

import { hostDefault, portDefault } from "../../protocol.ts";
import type { Option } from "../option.ts";

const store = "Which store";

/** The flags that say which server to connect to. */
export const storeOptions = [
  {
    name: "host",
    kind: "text",
    value: "HOST",
    default: hostDefault,
    help: "its name or address",
    group: store,
  },
  {
    name: "port",
    kind: "port",
    value: "PORT",
    default: String(portDefault),
    help: "its port",
    group: store,
    min: 1,
  },
  { name: "unix", kind: "path", value: "PATH", help: "its Unix socket instead", group: store },
  {
    name: "token-file",
    kind: "path",
    value: "PATH",
    env: "BLINK_TOKEN_FILE",
    help: "log in with the token in this file",
    group: store,
  },
] as const satisfies readonly Option[];
