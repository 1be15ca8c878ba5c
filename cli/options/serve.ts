/**
 * The flags of `blink-store serve`. Each has an environment variable of the same name.
 *
 * @module
 */

import { hostDefault, portDefault } from "../../protocol.ts";
import { serverDefaults, threadsMax } from "../../server.ts";
import type { Subcommand } from "../option.ts";
import { typedBytes } from "../values.ts";
import { memoryLimit } from "./memory_limit.ts";

const listen = "Where it listens";
const limits = memoryLimit.group;
const rest = "Data file, threads, access";

/** `blink-store serve`. */
export const serveCommand = {
  name: "serve",
  usage: ["[flags]"],
  options: [
    {
      name: "tcp",
      kind: "address",
      value: "HOST:PORT",
      env: "BLINK_TCP",
      default: `${hostDefault}:${portDefault}`,
      help: "listen here; port 0: any; repeatable",
      group: listen,
      repeatable: true,
    },
    {
      name: "port",
      kind: "port",
      value: "PORT",
      env: "BLINK_PORT",
      help: `the port alone, on ${hostDefault}`,
      group: listen,
    },
    {
      name: "unix",
      kind: "path",
      value: "PATH",
      env: "BLINK_UNIX",
      help: "a Unix socket; alone, no TCP is opened",
      group: listen,
    },
    {
      name: "unix-mode",
      kind: "mode",
      value: "MODE",
      env: "BLINK_UNIX_MODE",
      default: `0${serverDefaults.unixMode.toString(8)}`,
      help: "who may use the Unix socket",
      group: listen,
    },
    memoryLimit,
    {
      name: "eviction",
      kind: "on or off",
      value: "MODE",
      choices: ["on", "off"],
      env: "BLINK_EVICTION",
      default: serverDefaults.evicts ? "on" : "off",
      help: "off: refuse what does not fit the limit",
      group: limits,
    },
    {
      name: "max-connections",
      kind: "count",
      value: "N",
      env: "BLINK_MAX_CONNECTIONS",
      default: String(serverDefaults.connectionsMax),
      help: "connections at a time",
      group: limits,
      min: 1,
    },
    {
      name: "max-line",
      kind: "bytes",
      value: "SIZE",
      env: "BLINK_MAX_LINE",
      default: typedBytes(serverDefaults.lineBytesMax),
      help: "the longest request",
      group: limits,
      min: 64,
      max: 2 ** 30,
    },
    {
      name: "max-pending",
      kind: "bytes",
      value: "SIZE",
      env: "BLINK_MAX_PENDING",
      default: typedBytes(serverDefaults.pendingBytesMax),
      help: "unfinished requests, all together",
      group: limits,
      min: 64,
    },
    {
      name: "idle-timeout",
      kind: "seconds",
      value: "SECONDS",
      env: "BLINK_IDLE_TIMEOUT",
      default: String(serverDefaults.idleTimeoutMs / 1000),
      help: "close silent connections; 0: never",
      group: limits,
    },
    {
      name: "data",
      kind: "path",
      value: "FILE",
      env: "BLINK_DATA",
      help: "keep the entries in this data file",
      group: rest,
    },
    {
      name: "sync",
      kind: "sync mode",
      value: "MODE",
      choices: ["always", "interval", "off"],
      env: "BLINK_SYNC",
      default: serverDefaults.sync,
      help: "reach the disk: always, interval or off",
      group: rest,
    },
    {
      name: "io",
      kind: "event loop",
      value: "LOOP",
      choices: ["auto", "epoll", "portable"],
      env: "BLINK_IO",
      default: serverDefaults.io,
      help: "the event loop: auto, epoll or portable",
      group: rest,
    },
    {
      name: "threads",
      kind: "threads",
      value: "N",
      env: "BLINK_THREADS",
      default: String(serverDefaults.threads),
      choices: ["auto"],
      help: "event loops, or auto; needs epoll",
      group: rest,
      min: 1,
      max: threadsMax,
    },
    {
      name: "token-file",
      kind: "path",
      value: "PATH",
      env: "BLINK_TOKEN_FILE",
      help: "clients must log in with its token",
      group: rest,
    },
  ],
  notes: [
    "SIZE is in bytes, or as in 512KiB, 10MiB, 2GiB. BLINK_TOKEN can hold the token.",
    "A flag overrides its variable: --max-line overrides BLINK_MAX_LINE.",
  ],
} as const satisfies Subcommand;
