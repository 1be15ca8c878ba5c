/**
 * Finds the command of an array, checks its arguments, and runs it, or queues it in a transaction.
 *
 * A name is found without a string: its letters make a number, which finds a candidate in a map,
 * and the candidate's name is compared.
 *
 * @module
 */

import {
  type Arguments,
  authenticationRequired,
  echoed,
  type ErrorReply,
  keyBytesMax,
  keyTooLong,
} from "../../protocol.ts";
import type { Context } from "../context.ts";
import { firstRedisVerb } from "../counters.ts";
import type { Operation } from "../operation.ts";
import type { SessionControl } from "../session_control.ts";
import { type KeyPlaces, oneKey, type RedisCommand } from "./command.ts";
import { otherTypes, otherTypeText } from "./other_types.ts";
import type { Transaction } from "./transaction.ts";

/** The most arguments, and characters of them, that the reply to an unknown command repeats. */
const echoedArgumentsMax = 20;
const echoedCharactersMax = 128;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A number from the letters of a name, in any case. */
function packName(bytes: Uint8Array, start: number, end: number): number {
  let packed = 0;
  for (let at = start; at < end; at++) packed = Math.imul(packed, 33) + (bytes[at] | 0x20) | 0;
  return packed;
}

/** The commands of the Redis wire. */
export class RedisTable {
  /** The commands, by their numbers. */
  readonly commands: readonly RedisCommand[];
  /** Their names in capitals, by their numbers, for INFO. */
  readonly verbs: readonly string[];
  readonly #numberOfPacked = new Map<number, number>();
  readonly #names: readonly Uint8Array[];
  readonly #takesOneKey: readonly boolean[];
  readonly #needsNoAuth: readonly boolean[];
  /** The most frequent names, which are found without the map. */
  readonly #packedGet = packName(encoder.encode("get"), 0, 3);
  readonly #packedSet = packName(encoder.encode("set"), 0, 3);
  readonly #get: number;
  readonly #set: number;

  constructor(commands: readonly RedisCommand[]) {
    this.commands = commands;
    this.verbs = commands.map(({ name }) => name.toUpperCase());
    this.#names = commands.map(({ name }) => encoder.encode(name));
    this.#names.forEach((name, number) => {
      const packed = packName(name, 0, name.length);
      if (this.#numberOfPacked.has(packed)) {
        throw new Error(`Cannot make the table: ${commands[number].name} is there twice`);
      }
      this.#numberOfPacked.set(packed, number);
    });
    this.#takesOneKey = commands.map(({ keys }) => keys === oneKey);
    this.#needsNoAuth = commands.map(({ flags }) => flags.includes("no_auth"));
    this.#get = commands.findIndex(({ name }) => name === "get");
    this.#set = commands.findIndex(({ name }) => name === "set");
  }

  /** The command that a name in any case names. */
  named(name: string): RedisCommand | undefined {
    const bytes = encoder.encode(name);
    return this.commands[this.numberOf(bytes, 0, bytes.length)];
  }

  /** The number of the command that `bytes[start, end)` names, or -1. */
  numberOf(bytes: Uint8Array, start: number, end: number): number {
    const packed = packName(bytes, start, end);
    const number = packed === this.#packedGet
      ? this.#get
      : packed === this.#packedSet
      ? this.#set
      : this.#numberOfPacked.get(packed) ?? -1;
    if (number < 0) return -1;
    const name = this.#names[number];
    if (name.length !== end - start) return -1;
    for (let n = 0; n < name.length; n++) {
      // Names have letters alone, and each other byte becomes something else.
      if ((bytes[start + n] | 0x20) !== name[n]) return -1;
    }
    return number;
  }

  /** Whether a request may change the store. EXEC may if one of its requests may. */
  mayWrite(args: Arguments, bytes: Uint8Array, session: SessionControl): boolean {
    const command = this.#commandOf(args, bytes);
    if (command?.name !== "exec") return command?.flags.includes("write") === true;
    let writes = false;
    session.redis?.transaction?.forEach((queued) => {
      writes ||= this.commands[queued].flags.includes("write");
    });
    return writes;
  }

  /** Refuses a request that may change the store. A transaction that it belongs to is gone. */
  refuse(
    context: Context,
    args: Arguments,
    bytes: Uint8Array,
    session: SessionControl,
    error: ErrorReply,
  ): void {
    session.redis?.transaction?.refused();
    // EXEC says itself that its transaction is gone.
    if (this.#commandOf(args, bytes)?.name === "exec") this.run(context, args, bytes, session);
    else context.fail(error);
  }

  /** The command that a request names. */
  #commandOf(args: Arguments, bytes: Uint8Array): RedisCommand | undefined {
    if (args.count === 0) return undefined;
    return this.commands[this.numberOf(bytes, args.starts[0], args.ends[0])];
  }

  /** Runs the request, or queues it. An operation carries on what does not end at once. */
  run(
    context: Context,
    args: Arguments,
    bytes: Uint8Array,
    session: SessionControl,
  ): Operation | undefined {
    // An array without elements is no request.
    if (args.count === 0) return undefined;
    const number = this.numberOf(bytes, args.starts[0], args.ends[0]);
    args.verb = number < 0 ? -1 : firstRedisVerb + number;
    if (!session.isAuthenticated && (number < 0 || !this.#needsNoAuth[number])) {
      return context.fail(authenticationRequired);
    }
    const transaction = session.redis?.transaction;
    if (!this.#isValid(context, number, args, bytes)) {
      transaction?.refused();
      return undefined;
    }
    if (transaction?.isOpen === true && this.commands[number].isImmediate !== true) {
      this.#queue(context, transaction, number, args, bytes);
      return undefined;
    }
    return this.execute(context, number, args, bytes, session);
  }

  /** Counts and runs a request that is valid. */
  execute(
    context: Context,
    number: number,
    args: Arguments,
    bytes: Uint8Array,
    session: SessionControl,
  ): Operation | undefined {
    context.counters.requests[firstRedisVerb + number]++;
    const { execute } = this.commands[number];
    if (!context.isShared || context.isAtomic || !this.#takesOneKey[number]) {
      return execute(context, args, bytes, session) as Operation | undefined;
    }
    const { store } = context;
    store.enter(bytes, args.starts[1], args.ends[1]);
    try {
      return execute(context, args, bytes, session) as Operation | undefined;
    } finally {
      store.leave();
    }
  }

  #queue(
    context: Context,
    transaction: Transaction,
    number: number,
    args: Arguments,
    bytes: Uint8Array,
  ): void {
    const { name, flags } = this.commands[number];
    if (flags.includes("no_multi")) {
      const text = name === "watch"
        ? "ERR WATCH inside MULTI is not allowed"
        : "ERR Command not allowed inside a transaction";
      context.failRedis("wrong_state", text);
      // Redis lets EXEC run after WATCH.
      if (name !== "watch") transaction.refused();
    } else {
      transaction.add(context, number, args, bytes);
    }
  }

  /** Whether the command exists and has what it needs; answers if not. */
  #isValid(context: Context, number: number, args: Arguments, bytes: Uint8Array): boolean {
    if (number < 0) {
      unknown(context, args, bytes);
      return false;
    }
    const { arity, name, keys } = this.commands[number];
    if (arity >= 0 ? args.count !== arity : args.count < -arity) {
      context.failRedis("wrong_arguments", `ERR wrong number of arguments for '${name}' command`);
      return false;
    }
    return keys === undefined || areKeysValid(context, keys, args);
  }
}

/** Whether every key has a length that the store takes; answers if not. */
function areKeysValid(context: Context, keys: KeyPlaces, args: Arguments): boolean {
  const last = keys.last < 0 ? args.count + keys.last : keys.last;
  for (let n = keys.first; n <= last; n += keys.step) {
    const length = args.ends[n] - args.starts[n];
    if (length <= keyBytesMax) continue;
    context.fail(keyTooLong);
    return false;
  }
  return true;
}

/** Answers a request for a command that does not exist here. */
function unknown(context: Context, args: Arguments, bytes: Uint8Array): void {
  const name = decoder.decode(bytes.subarray(args.starts[0], args.ends[0]));
  const type = otherTypes.get(name.toLowerCase());
  if (type !== undefined) {
    return context.failRedis("unknown_command", otherTypeText(name, type));
  }
  let shown = "";
  for (let n = 1; n < args.count && n <= echoedArgumentsMax; n++) {
    if (shown.length >= echoedCharactersMax) break;
    shown += `'${echoed(bytes, args.starts[n], args.ends[n])}' `;
  }
  const text = `ERR unknown command '${echoed(bytes, args.starts[0], args.ends[0])}', ` +
    `with args beginning with: ${shown}`;
  context.failRedis("unknown_command", text);
}
