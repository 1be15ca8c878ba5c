/**
 * The one table of commands. The request parser, `HELP`, the shell's completion and hints, and the
 * test that the documents tell of every command all read it; a command that is not here does not
 * exist.
 *
 * @module
 */

/** What kind of thing an argument is, for the shell's completion and hints. */
export type ArgumentKind = "key" | "value" | "options" | "number" | "seconds" | "prefix" | "token";

/** One argument of a command. */
export interface Argument {
  /** Its name as the usage line shows it. */
  readonly name: string;
  /** What the shell may complete there. */
  readonly kind: ArgumentKind;
  /** True when the request is valid without it. */
  readonly optional?: boolean;
  /** True when it may be given more than once. */
  readonly repeated?: boolean;
  /** The option words it may hold, each with its `=` where it takes a value. */
  readonly options?: readonly string[];
}

/** One command of the protocol. */
export interface Command {
  /** The verb, in capitals; a request may spell it in any case. */
  readonly verb: string;
  /** Other verbs that mean the same. */
  readonly aliases: readonly string[];
  /** Its arguments, in order. */
  readonly args: readonly Argument[];
  /** One line on what it does. */
  readonly summary: string;
  /** Every reply that is not an `ERROR`. */
  readonly replies: readonly string[];
  /** 1: the protocol that clients in the field speak. 2: added by this project. */
  readonly part: 1 | 2;
  /** True when it is answered before `AUTH`, where a token is required. */
  readonly open?: boolean;
}

const key: Argument = { name: "key", kind: "key" };

/** Every command, in the order in which `HELP` and the documents list them. */
export const commands = [
  {
    verb: "SET",
    aliases: [],
    args: [key, { name: "value", kind: "value", optional: true }],
    summary: "store a value: everything after the blank that follows the key",
    replies: ["OK"],
    part: 1,
  },
  {
    verb: "GET",
    aliases: [],
    args: [key, { name: "ttl=S", kind: "options", optional: true, options: ["ttl="] }],
    summary: "fetch a value, in base64; with ttl=S it then expires S seconds from now",
    replies: ["VALUE base64", "NOT_FOUND"],
    part: 1,
  },
  {
    verb: "DELETE",
    aliases: ["DEL"],
    args: [key, { name: "match=BASE64", kind: "options", optional: true, options: ["match="] }],
    summary: "remove a key; with match= only if its value is this one",
    replies: ["OK", "NOT_FOUND", "CONFLICT"],
    part: 1,
  },
  {
    verb: "USAGE",
    aliases: ["STATS"],
    args: [],
    summary: "count the bytes of all keys and values held",
    replies: ["USAGE n"],
    part: 1,
  },
  {
    verb: "QUIT",
    aliases: [],
    args: [],
    summary: "close the connection once pending replies are sent",
    replies: [],
    part: 1,
    open: true,
  },
  {
    verb: "PUT",
    aliases: [],
    args: [
      key,
      {
        name: "options",
        kind: "options",
        options: ["ttl=", "keepttl", "b64", "absent", "present", "match="],
      },
      { name: "value", kind: "value", optional: true },
    ],
    summary: "store a value with options, or - for none",
    replies: ["OK", "CONFLICT", "NOT_FOUND"],
    part: 2,
  },
  {
    verb: "MGET",
    aliases: [],
    args: [{ ...key, repeated: true }],
    summary: "fetch several values in one reply",
    replies: ["VALUES item ..."],
    part: 2,
  },
  {
    verb: "INCR",
    aliases: [],
    args: [
      key,
      { name: "by", kind: "number", optional: true },
      { name: "ttl=S", kind: "options", optional: true, options: ["ttl="] },
    ],
    summary: "add to a number kept as decimal text; a missing key counts from 0",
    replies: ["INT n"],
    part: 2,
  },
  {
    verb: "EXPIRE",
    aliases: [],
    args: [key, { name: "S|never", kind: "seconds" }],
    summary: "let a key expire S seconds from now, or never",
    replies: ["OK", "NOT_FOUND"],
    part: 2,
  },
  {
    verb: "TTL",
    aliases: [],
    args: [key],
    summary: "tell how many seconds a key has left",
    replies: ["TTL s", "TTL never", "NOT_FOUND"],
    part: 2,
  },
  {
    verb: "SCAN",
    aliases: [],
    args: [
      { name: "cursor", kind: "number" },
      { name: "count", kind: "number", optional: true },
      { name: "prefix", kind: "prefix", optional: true },
    ],
    summary: "list keys, a part at a time: start at 0, finished when next is 0",
    replies: ["KEYS next key ..."],
    part: 2,
  },
  {
    verb: "FLUSH",
    aliases: [],
    args: [{ name: "prefix", kind: "prefix", optional: true }],
    summary: "remove every key, or every key with a prefix",
    replies: ["DELETED n"],
    part: 2,
  },
  {
    verb: "PING",
    aliases: [],
    args: [],
    summary: "ask whether the server answers",
    replies: ["PONG"],
    part: 2,
    open: true,
  },
  {
    verb: "INFO",
    aliases: [],
    args: [],
    summary: "look inside: counters and sizes, as one line of JSON",
    replies: ["INFO json"],
    part: 2,
  },
  {
    verb: "AUTH",
    aliases: [],
    args: [{ name: "token", kind: "token" }],
    summary: "show the token, where the server requires one",
    replies: ["OK"],
    part: 2,
    open: true,
  },
  {
    verb: "HELP",
    aliases: [],
    args: [],
    summary: "list the verbs",
    replies: ["HELP verb ..."],
    part: 2,
    open: true,
  },
] as const satisfies readonly Command[];

/** A verb of the table, in capitals. */
export type Verb = typeof commands[number]["verb"];

/**
 * The command that a verb or an alias, in any case, names.
 *
 * @example
 * ```ts
 * import { commandNamed } from "@blink/store/protocol";
 *
 * console.assert(commandNamed("del")?.verb === "DELETE");
 * console.assert(commandNamed("nonsense") === undefined);
 * ```
 */
export function commandNamed(word: string): Command | undefined {
  const verb = word.toUpperCase();
  return commands.find((command: Command) =>
    command.verb === verb || command.aliases.includes(verb)
  );
}

/** `PUT key options [value]`: a command's verb and arguments as its usage line shows them. */
export function usageOf(command: Command): string {
  const words = command.args.map((argument) => {
    const name = argument.repeated ? `${argument.name} ...` : argument.name;
    return argument.optional ? `[${name}]` : name;
  });
  return [command.verb, ...words].join(" ");
}
