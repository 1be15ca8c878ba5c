/**
 * The table of the command line: every subcommand, every flag, its environment variable, unit,
 * default and help line. The parser, the help, the shell completions and the test that the README
 * names each flag all read it; a flag that is not here does not exist.
 *
 * @module
 */

import type { Kind } from "./parse.ts";
import type { Range } from "./values.ts";

/** One flag. */
export interface Option extends Range {
  /** Its long name, without dashes. */
  readonly name: string;
  /** One letter that means the same. */
  readonly short?: string;
  /** What its value is; a `switch` has none. */
  readonly kind: Kind;
  /** The value as the help shows it; none for a `switch`. */
  readonly value?: string;
  /** The environment variable that is read where the flag is not given. */
  readonly env?: string;
  /** What holds when nothing is given, as one would type it. */
  readonly default?: string;
  /** What it does, in a few words. */
  readonly help: string;
  /** The heading it stands under. */
  readonly group: string;
  /** True when it may be given more than once; its variable then holds a comma-separated list. */
  readonly repeatable?: boolean;
}

/** One subcommand. */
export interface Subcommand {
  /** Its name. */
  readonly name: string;
  /** One line on what it does. */
  readonly summary: string;
  /** How it is called, after its name; one line each. */
  readonly usage: readonly string[];
  /** Its flags. */
  readonly options: readonly Option[];
  /** What else a reader of its help wants to know; one line each. */
  readonly notes: readonly string[];
}

const listen = "Where it listens";
const limits = "Limits";
const access = "Access";

/** What the store's arena can hold, in bytes, with room for what it keeps beside the data. */
const memoryLimitRange = { min: 2 ** 10, max: 16 * 2 ** 30 } as const;

/** `blink-store serve`. */
export const serveCommand = {
  name: "serve",
  summary: "start a server",
  usage: ["[flags]"],
  options: [
    {
      name: "tcp",
      kind: "address",
      value: "HOST:PORT",
      env: "BLINK_TCP",
      default: "127.0.0.1:8765",
      help: "listen here; port 0: any; repeatable",
      group: listen,
      repeatable: true,
    },
    {
      name: "port",
      kind: "port",
      value: "PORT",
      env: "BLINK_PORT",
      help: "the port alone, on 127.0.0.1",
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
      default: "0600",
      help: "who may use the Unix socket",
      group: listen,
    },
    {
      name: "memory-limit",
      kind: "bytes",
      value: "SIZE",
      env: "BLINK_MEMORY_LIMIT",
      default: "10MiB",
      help: "bytes of all keys and values",
      group: limits,
      ...memoryLimitRange,
    },
    {
      name: "max-connections",
      kind: "count",
      value: "N",
      env: "BLINK_MAX_CONNECTIONS",
      default: "10000",
      help: "connections at a time",
      group: limits,
      min: 1,
    },
    {
      name: "max-line",
      kind: "bytes",
      value: "SIZE",
      env: "BLINK_MAX_LINE",
      default: "16MiB",
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
      default: "256MiB",
      help: "unfinished requests, all together",
      group: limits,
      min: 64,
    },
    {
      name: "idle-timeout",
      kind: "seconds",
      value: "SECONDS",
      env: "BLINK_IDLE_TIMEOUT",
      default: "0",
      help: "close silent connections; 0: never",
      group: limits,
    },
    {
      name: "token-file",
      kind: "path",
      value: "PATH",
      env: "BLINK_TOKEN_FILE",
      help: "ask clients for the token in this file",
      group: access,
    },
  ],
  notes: [
    "SIZE is in bytes, or as in 512KiB, 10MiB, 2GiB. BLINK_TOKEN can hold the token.",
    "Each flag has a variable, which it wins over: BLINK_MAX_LINE is --max-line.",
  ],
} as const satisfies Subcommand;

const store = "Which store";

const storeOptions = [
  {
    name: "host",
    kind: "text",
    value: "HOST",
    default: "127.0.0.1",
    help: "its name or address",
    group: store,
  },
  {
    name: "port",
    kind: "port",
    value: "PORT",
    default: "8765",
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
    help: "show it the token in this file",
    group: store,
  },
] as const satisfies readonly Option[];

const output = "Output";

const shellOptions = [
  { name: "raw", kind: "switch", help: "a value's exact bytes, no line feed added", group: output },
  { name: "json", kind: "switch", help: "one JSON document a reply", group: output },
  { name: "csv", kind: "switch", help: "one CSV record a reply", group: output },
  {
    name: "json-values",
    kind: "switch",
    help: "lay out values that are JSON over several lines",
    group: output,
  },
] as const satisfies readonly Option[];

const running = "Running";

/** `blink-store client`. */
export const clientCommand = {
  name: "client",
  summary: "talk to a server: a shell, one command, or commands piped in",
  usage: ["[flags] [HOST [PORT]]", "[flags] COMMAND [word ...]"],
  options: [
    ...storeOptions,
    ...shellOptions,
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

/** `blink-store run`. */
export const runCommand = {
  name: "run",
  summary: "the client's shell on a store of its own, without a server",
  usage: ["[flags] [COMMAND [word ...]]"],
  options: [
    {
      name: "memory-limit",
      kind: "bytes",
      value: "SIZE",
      env: "BLINK_MEMORY_LIMIT",
      default: "10MiB",
      help: "bytes of all keys and values",
      group: limits,
      ...memoryLimitRange,
    },
    ...shellOptions,
  ],
  notes: ["What it holds is gone when it ends. Commands may also be piped in, a line each."],
} as const satisfies Subcommand;

const load = "The load";

/** `blink-store bench`. */
export const benchCommand = {
  name: "bench",
  summary: "measure a server: throughput and latency under a load",
  usage: ["[flags] [HOST [PORT]]"],
  options: [
    ...storeOptions,
    {
      name: "connections",
      short: "c",
      kind: "count",
      value: "N",
      default: "50",
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
      default: "16",
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
      default: "1000000",
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
      default: "get=80,set=20",
      help: "get, set, delete, incr, ping",
      group: load,
    },
    { name: "fill", kind: "switch", help: "set each key once before, unmeasured", group: load },
    {
      name: "value-bytes",
      short: "d",
      kind: "bytes",
      value: "SIZE",
      default: "64",
      help: "a value",
      group: "The keys",
      max: 16 * 2 ** 20,
    },
    {
      name: "keys",
      short: "r",
      kind: "count",
      value: "N",
      default: "100000",
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

/** `blink-store completions`. */
export const completionsCommand = {
  name: "completions",
  summary: "print the completions of a shell: bash, zsh or fish",
  usage: ["bash|zsh|fish"],
  options: [],
  notes: [
    "Where to put what it prints:",
    "  bash  ~/.local/share/bash-completion/completions/blink-store",
    "  zsh   _blink-store in a folder of $fpath",
    "  fish  ~/.config/fish/completions/blink-store.fish",
  ],
} as const satisfies Subcommand;

/** Every subcommand, in the order of the help. */
export const subcommands: readonly Subcommand[] = [
  serveCommand,
  clientCommand,
  runCommand,
  benchCommand,
  completionsCommand,
];
