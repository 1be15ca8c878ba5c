/**
 * Runs parsed requests on a store and appends their replies. It knows neither sockets nor lines;
 * everything that it does for one request, or one share of a long one, is done before it returns,
 * so a mutation is never seen half done.
 *
 * @module
 */

import { commands } from "../protocol/commands.ts";
import type { Problem } from "../protocol/problems.ts";
import { type Buffers, Output, plainBuffers } from "../protocol/output.ts";
import { Request } from "../protocol/request.ts";
import { verbs } from "../protocol/verbs.ts";
import { Counters } from "./counters.ts";
import { increment } from "./increment.ts";
import { type Info, infoOf } from "./info.ts";
import { expire, flush, FlushQueue, scan, timeToLive } from "./keys.ts";
import type { Storage } from "./storage.ts";
import { getMany, getPart, getValue, putValue, removeKey, setValue } from "./values.ts";

/**
 * How far a request came: `"done"`; `"again"`, a share of it was done and the rest is to be asked
 * for after other work had its turn; `"flush"`, likewise, once the output was sent.
 */
export type Progress = "done" | "again" | "flush";

/** Values from this size on are worth a look at the clock. */
export const timedValueBytesMin = 16 * 1024;

const helpLine = `HELP ${commands.map(({ verb }) => verb).join(" ")}\n`;

/** A scratch up to this size is kept for the next value. */
const scratchKeptBytesMax = 64 * 1024;

/** What an engine is made of. */
export interface EngineOptions {
  /** The store that requests run on. */
  store: Storage;
  /** The version that INFO tells. */
  version: string;
  /** Where the buffers of replies come from. */
  buffers?: Buffers;
  /** The bytes of memory that the whole process holds, for INFO. */
  processBytes?: () => number;
}

/** True for the requests, GET and SET apart, that can take long enough to be worth two looks. */
function isTimed({ verb, valueStart, valueEnd }: Request): boolean {
  switch (verb) {
    case verbs.MGET:
    case verbs.SCAN:
    case verbs.FLUSH:
    case verbs.INFO:
      return true;
    case verbs.PUT:
      return valueEnd - valueStart >= timedValueBytesMin;
    default:
      return false;
  }
}

/** See the head of this file. */
export class Engine {
  /** The store that requests run on. */
  readonly store: Storage;
  /** Replies of the run that is under way. */
  readonly output: Output;
  /** What INFO tells of. */
  readonly counters: Counters = new Counters();
  /** Flushes by prefix that are under way. */
  readonly flushes: FlushQueue;
  /** The request that lines are read into; exchanged for another when one has to wait. */
  request: Request = new Request();
  readonly #options: EngineOptions;
  readonly #startedAt = performance.now();
  #scratch: Uint8Array = new Uint8Array(1024);

  constructor(options: EngineOptions) {
    this.#options = options;
    this.store = options.store;
    this.output = new Output(options.buffers ?? plainBuffers);
    this.flushes = new FlushQueue(options.store);
  }

  /** Runs a request whose places are in `bytes`. */
  execute(request: Request, bytes: Uint8Array): Progress {
    const { verb, copy } = request;
    if (copy !== undefined && verb === verbs.GET) return getPart(this, request, copy);
    if (verb === verbs.GET) return getValue(this, request, bytes);
    if (verb === verbs.SET) return setValue(this, request, bytes);
    if (verb === verbs.DELETE) return removeKey(this, request, bytes);
    if (!isTimed(request)) return this.#executeOther(request, bytes);
    const before = performance.now();
    const progress = this.#executeOther(request, bytes);
    this.counters.time(verb, performance.now() - before);
    return progress;
  }

  #executeOther(request: Request, bytes: Uint8Array): Progress {
    switch (request.verb) {
      case verbs.USAGE:
        return this.#count("USAGE ", this.store.usage);
      case verbs.PUT:
        return putValue(this, request, bytes);
      case verbs.MGET:
        return getMany(this, request, bytes);
      case verbs.INCR:
        return increment(this, request, bytes);
      case verbs.EXPIRE:
        return expire(this, request, bytes);
      case verbs.TTL:
        return timeToLive(this, request, bytes);
      case verbs.SCAN:
        return scan(this, request, bytes);
      case verbs.FLUSH:
        return flush(this, request, bytes);
      case verbs.PING:
        return this.#say("PONG\n");
      case verbs.INFO:
        return this.#say(`INFO ${JSON.stringify(this.info())}\n`);
      case verbs.HELP:
        return this.#say(helpLine);
      default:
        throw new Error(`Cannot run verb ${request.verb}: the engine does not know it`);
    }
  }

  /** Answers with an error. */
  fail(problem: Problem): "done" {
    this.counters.errors[problem.kind]++;
    this.output.append(problem.line);
    return "done";
  }

  /** What INFO tells. */
  info(): Info {
    const { version, processBytes } = this.#options;
    return infoOf(this.store, this.counters, {
      version,
      uptimeMs: performance.now() - this.#startedAt,
      processBytes: processBytes?.() ?? 0,
    });
  }

  /** Work that is due without a request: expired entries, flushes; true when more is due now. */
  tick(): boolean {
    const flushing = this.flushes.step();
    return this.store.sweep() || flushing;
  }

  /** Bytes to work in, until the next call. */
  scratch(bytesMin: number): Uint8Array {
    if (bytesMin <= this.#scratch.length) return this.#scratch;
    const larger = new Uint8Array(bytesMin);
    if (bytesMin <= scratchKeptBytesMax) this.#scratch = larger;
    return larger;
  }

  #say(text: string): "done" {
    this.output.text(text);
    return "done";
  }

  #count(head: string, value: number): "done" {
    this.output.text(head);
    this.output.number(value);
    this.output.endLine();
    return "done";
  }
}
