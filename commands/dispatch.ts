/**
 * Finds the command of a request. A command's number is its place in the table; no verb is listed
 * here.
 *
 * A verb is packed into one small integer, five bits a letter, so that one comparison without a
 * string is enough. So a verb has at most six letters; the constructor of a table checks that.
 *
 * @module
 */

import {
  keyBytesMax,
  keyTooLong,
  missingArgument,
  type Request,
  skipBlanks,
  unknownCommand,
  unknownVerb,
  wordEnd,
} from "../protocol.ts";
import type { Command } from "./command.ts";
import type { Context } from "./context.ts";
import type { Operation } from "./operation.ts";
import type { SessionControl } from "./session_control.ts";

/** Letters that fit a small integer at five bits each. */
const lettersMax = 6;

/** Requests with values of this many bytes or more are timed for INFO. */
export const timedValueBytesMin = 16 * 1024;

function pack(word: string): number {
  if (!/^[A-Z]+$/.test(word) || word.length > lettersMax) {
    throw new Error(`Cannot pack the verb ${word}: it is not 1 to ${lettersMax} letters`);
  }
  let packed = 0;
  for (const letter of word) packed = packed << 5 | letter.charCodeAt(0) & 31;
  return packed;
}

/** Finds, parses and runs the commands of a list. */
export class CommandTable {
  /** The verbs, by their numbers. */
  readonly verbs: readonly string[];
  readonly #commands: readonly Command[];
  readonly #numberOfPacked = new Map<number, number>();
  /** For each command, whether its first argument is a required key. */
  readonly #takesKey: readonly boolean[];
  /** For each command, whether that is the only key: it then has the key to itself. */
  readonly #takesOneKey: readonly boolean[];
  /** For each command without a key, its required first argument, or "". */
  readonly #required: readonly string[];
  readonly #timed: readonly boolean[];
  readonly #timedByValue: readonly boolean[];
  readonly #needsNoAuth: readonly boolean[];
  /** The most frequent verbs, packed, which are found without the map; and their numbers. */
  readonly #packedGet: number;
  readonly #packedSet: number;
  readonly #get: number;
  readonly #set: number;

  constructor(commands: readonly Command[]) {
    this.#commands = commands;
    this.verbs = commands.map(({ verb }) => verb);
    commands.forEach(({ verb, aliases }, number) => {
      for (const word of [verb, ...aliases]) {
        if (this.#numberOfPacked.has(pack(word))) {
          throw new Error(`Cannot make the table of commands: ${word} is there twice`);
        }
        this.#numberOfPacked.set(pack(word), number);
      }
    });
    const first = commands.map(({ args }) => args.at(0));
    this.#takesKey = first.map((argument) => argument?.kind === "key");
    this.#takesOneKey = first.map((argument) =>
      argument?.kind === "key" && argument.repeated !== true
    );
    this.#required = first.map((argument) =>
      argument === undefined || argument.optional === true ? "" : argument.name
    );
    this.#timed = commands.map(({ timed }) => timed === "always");
    this.#timedByValue = commands.map(({ timed, writes }) => timed === "large values" && writes);
    this.#needsNoAuth = commands.map(({ needsNoAuth }) => needsNoAuth);
    this.#packedGet = pack("GET");
    this.#packedSet = pack("SET");
    this.#get = this.verbs.indexOf("GET");
    this.#set = this.verbs.indexOf("SET");
  }

  /** The number of the verb that is `bytes[start, end)`, in any case; `unknownVerb` for no verb. */
  numberOf(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > lettersMax) return unknownVerb;
    let packed = 0;
    for (let at = start; at < end; at++) {
      const letter = bytes[at] | 0x20;
      if (letter < 0x61 || letter > 0x7a) return unknownVerb;
      packed = packed << 5 | letter & 31;
    }
    if (packed === this.#packedGet) return this.#get;
    if (packed === this.#packedSet) return this.#set;
    return this.#numberOfPacked.get(packed) ?? unknownVerb;
  }

  /** Whether the line `bytes[start, end)` may run before AUTH; looks at its verb alone. */
  needsNoAuth(bytes: Uint8Array, start: number, end: number): boolean {
    const verbStart = skipBlanks(bytes, start, end);
    const number = this.numberOf(bytes, verbStart, wordEnd(bytes, verbStart, end));
    return number !== unknownVerb && this.#needsNoAuth[number];
  }

  /** Whether a parsed request may change the store. */
  mayWrite({ verb, expiry }: Request): boolean {
    // GET can set an expiry.
    return this.#commands[verb].writes || verb === this.#get && expiry !== "keep";
  }

  /** Reads the line `bytes[start, end)`, which holds no line feed, into `request`. */
  parse(bytes: Uint8Array, start: number, end: number, request: Request): void {
    const verbStart = skipBlanks(bytes, start, end);
    const verbEnd = wordEnd(bytes, verbStart, end);
    const verb = this.numberOf(bytes, verbStart, verbEnd);
    request.verb = verb;
    request.error = undefined;
    if (verb === unknownVerb) {
      request.error = unknownCommand;
      return;
    }
    const at = skipBlanks(bytes, verbEnd, end);
    const command = this.#commands[verb];
    if (at === end && this.#required[verb] !== "") {
      request.error = missingArgument(command.verb, this.#required[verb]);
    } else if (this.#takesKey[verb]) {
      const keyEnd = wordEnd(bytes, at, end);
      request.keyStart = at;
      request.keyEnd = keyEnd;
      if (keyEnd - at > keyBytesMax) request.error = keyTooLong;
      else command.parse(bytes, keyEnd, end, request);
    } else {
      command.parse(bytes, at, end, request);
    }
  }

  /**
   * Counts and runs a parsed request without an error. Where other threads use the store, too, a
   * request of one key has this key to itself.
   */
  execute(
    context: Context,
    request: Request,
    bytes: Uint8Array,
    session: SessionControl,
  ): Operation | undefined {
    const { verb } = request;
    const { counters } = context;
    counters.requests[verb]++;
    const isTimed = this.#timed[verb] ||
      this.#timedByValue[verb] && request.valueEnd - request.valueStart >= timedValueBytesMin;
    const mustLock = context.isShared && this.#takesOneKey[verb];
    const { execute } = this.#commands[verb];
    if (!isTimed && !mustLock) {
      return execute(context, request, bytes, session) as Operation | undefined;
    }
    const before = isTimed ? context.now() : 0;
    const operation = mustLock
      ? this.#executeLocked(context, request, bytes, session)
      : execute(context, request, bytes, session) as Operation | undefined;
    if (isTimed) counters.time(verb, context.now() - before);
    return operation;
  }

  #executeLocked(
    context: Context,
    request: Request,
    bytes: Uint8Array,
    session: SessionControl,
  ): Operation | undefined {
    const { store } = context;
    store.enter(bytes, request.keyStart, request.keyEnd);
    try {
      const { execute } = this.#commands[request.verb];
      return execute(context, request, bytes, session) as Operation | undefined;
    } finally {
      store.leave();
    }
  }
}
