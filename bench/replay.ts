/**
 * Replays traces the way an application uses a cache: get, and set after a miss. In the process on
 * this store and on reference policies; over a socket on real servers.
 *
 * @module
 */

import { Store } from "../store.ts";
import {
  type Dialect,
  keyBytes,
  type Replies,
  RequestWriter,
  verbs,
  writeKey,
} from "../loadgen/mod.ts";
import { type Cache, policies } from "./policies.ts";
import { entryBytes, type Trace } from "./traces.ts";

/** The counts of a replay. */
export interface ReplayResult {
  readonly gets: number;
  readonly misses: number;
}

/** The share of gets that missed. */
export function missRatio({ gets, misses }: ReplayResult): number {
  return gets === 0 ? 0 : misses / gets;
}

/** Replays on this store. */
export function replayOnStore(trace: Trace, limitBytes: number): ReplayResult {
  const store = new Store({ limitBytes, hashKey: [1, 2] });
  const line = new Uint8Array(keyBytes);
  const value = new Uint8Array(64 * 1024);
  return replayInProcess(trace, {
    get(key) {
      writeKey(key, line);
      return store.get(line, 0, keyBytes) !== 0;
    },
    set(key) {
      writeKey(key, line);
      const length = trace.valueBytes(key);
      while (store.put(line, 0, keyBytes, value, 0, length, Infinity) === "unfinished");
    },
  });
}

/** Replays on a reference policy, by its name. Throws if there is none of that name. */
export function replayOnPolicy(trace: Trace, name: string, limitBytes: number): ReplayResult {
  const policy = policies[name];
  if (policy === undefined) {
    throw new Error(`Cannot replay on ${name}: there are ${Object.keys(policies).join(", ")}`);
  }
  const sizes = Uint32Array.from({ length: trace.keys }, (_, key) => entryBytes(trace, key));
  return replayInProcess(trace, policy(sizes, limitBytes));
}

function replayInProcess({ requests }: Trace, cache: Cache): ReplayResult {
  let gets = 0;
  let misses = 0;
  for (const request of requests) {
    const key = request >>> 1;
    if (request & 1) cache.set(key);
    else {
      gets++;
      if (cache.get(key)) continue;
      misses++;
      cache.set(key);
    }
  }
  return { gets, misses };
}

/** The port of a server, and its wire protocol. */
export interface Peer {
  readonly port: number;
  readonly dialect: Dialect;
}

/** Requests in flight: few, so that the order is close to that of one at a time. */
const inFlight = 32;

/**
 * A connection for replays. Requests are sent in small batches; the sets that follow from the
 * misses of one batch are sent with the next.
 */
export class Replayer implements Disposable {
  readonly #socket: Deno.Conn;
  readonly #writers = new Map<number, RequestWriter>();
  readonly #dialect: Dialect;
  readonly #out = new Uint8Array(1024 * 1024);
  readonly #in = new Uint8Array(256 * 1024);
  readonly #outcomes: boolean[] = [];
  readonly #replies: Replies = {
    hits: 0,
    misses: 0,
    errors: 0,
    note: (isHit) => this.#outcomes.push(isHit),
  };

  private constructor(socket: Deno.Conn, dialect: Dialect) {
    this.#socket = socket;
    this.#dialect = dialect;
  }

  static async connect({ port, dialect }: Peer): Promise<Replayer> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    socket.setNoDelay(true);
    return new Replayer(socket, dialect);
  }

  /** Replays the first `length` requests of a trace. */
  async replay(trace: Trace, length = trace.requests.length): Promise<ReplayResult> {
    let gets = 0;
    let misses = 0;
    let toSet = new Set<number>();
    const scanner = this.#dialect.scanner(this.#replies);
    for (let at = 0; at < length || toSet.size > 0;) {
      let end = 0;
      let count = 0;
      const asked: number[] = [];
      for (const key of toSet) end = this.#write(trace, "set", key, end);
      count += toSet.size;
      for (; at < length && count < inFlight; at++, count++) {
        const request = trace.requests[at];
        if ((request & 1) === 0) asked.push(request >>> 1);
        end = this.#write(trace, request & 1 ? "set" : "get", request >>> 1, end);
      }
      this.#outcomes.length = 0;
      await this.#exchange(end, count, scanner);
      gets += asked.length;
      // Two gets of a key in one batch count as one miss: the first would have set it.
      toSet = new Set(asked.filter((_, index) => !this.#outcomes[index]));
      misses += toSet.size;
    }
    return { gets, misses };
  }

  /** The bytes of a trace's keys and values that the server holds. */
  async heldBytes(trace: Trace): Promise<number> {
    const scanner = this.#dialect.scanner(this.#replies);
    let held = 0;
    const batchMax = 200;
    for (let first = 0; first < trace.keys; first += batchMax) {
      const batch = Math.min(batchMax, trace.keys - first);
      let end = 0;
      for (let key = first; key < first + batch; key++) {
        end = this.#write(trace, "get", key, end);
      }
      this.#outcomes.length = 0;
      await this.#exchange(end, batch, scanner);
      for (let index = 0; index < batch; index++) {
        if (this.#outcomes[index]) held += entryBytes(trace, first + index);
      }
    }
    return held;
  }

  /**
   * Sends an encoded request of Redis; returns what one read gets, which must be the whole reply.
   *
   * @throws {Error} if the reply is an error.
   */
  async ask(request: string): Promise<string> {
    await this.#socket.write(new TextEncoder().encode(request));
    const length = await this.#socket.read(this.#in) ?? 0;
    const reply = new TextDecoder().decode(this.#in.subarray(0, length));
    if (reply === "" || reply.startsWith("-")) throw new Error(`Cannot set up a replay: ${reply}`);
    return reply;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #write(trace: Trace, verb: "get" | "set", key: number, at: number): number {
    const length = trace.valueBytes(key);
    let writer = this.#writers.get(length);
    if (writer === undefined) {
      writer = new RequestWriter(this.#dialect, length);
      this.#writers.set(length, writer);
    }
    return writer.write(verbs.indexOf(verb), key, this.#out, at);
  }

  async #exchange(end: number, count: number, scanner: ReturnType<Dialect["scanner"]>) {
    const sending = this.#send(end);
    for (let missing = count; missing > 0;) {
      const length = await this.#socket.read(this.#in);
      if (length === null) throw new Error("Cannot replay: the server closed");
      missing -= scanner.scan(this.#in, length);
    }
    await sending;
    if (this.#replies.errors > 0) {
      throw new Error(`Cannot replay: ${this.#replies.firstError ?? "an error reply"}`);
    }
  }

  async #send(end: number): Promise<void> {
    for (let sent = 0; sent < end;) {
      sent += await this.#socket.write(this.#out.subarray(sent, end));
    }
  }
}
