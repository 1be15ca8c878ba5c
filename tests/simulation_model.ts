/**
 * A model of the store that knows which replies the simulated clients may get. Eviction, a flush
 * under way and a failed allocation make it uncertain whether a key still exists. A reply that no
 * possible case allows is a fault.
 *
 * @module
 */

/** A value with its expiry, as one possibility. */
interface Held {
  /** The value, a character a byte. */
  readonly value: string;
  /** When it expires; Infinity for never. */
  readonly expiresAt: number;
}

/** An entry that exists, or may exist. */
interface Entry extends Held {
  /** True when it may have been removed. */
  maybeGone: boolean;
  /** True when it may also never expire: it was written with the expiry of one that may be gone. */
  maybeLasting: boolean;
}

/** A flush by prefix from when it was sent to its reply. */
export interface FlushUnderWay {
  readonly prefix: string;
  /** The keys that it must remove, unless they are written meanwhile. */
  readonly covered: Set<string>;
  /** True once it is known to be begun: then it spares what is written from now on. */
  hasBegun: boolean;
}

/** A scan from its first request to its last reply. */
export interface ScanUnderWay {
  readonly prefix: string;
  /** Keys that were there all the time and were not seen yet. */
  readonly unseen: Set<string>;
}

/** Keys that a client watches for its transaction. */
export interface Watch {
  readonly keys: readonly string[];
  /** True once WATCH was answered, and one of them has certainly changed since. */
  hasChanged: boolean;
}

/** A fault that the simulation found. */
export class SimulationFault extends Error {
  override name = "SimulationFault";
}

/** Why the reply to a request was not what it can be. */
function fault(request: string, reply: string, expected: string): never {
  const short = (text: string) => text.length > 200 ? `${text.slice(0, 200)}...` : text;
  throw new SimulationFault(
    `${short(request)} was answered ${short(reply)}; expected ${short(expected)}`,
  );
}

/** The model of one store. */
export class SimulationModel {
  /** True while the step that is evaluated has evicted: anything may be gone. */
  isEvicting = false;
  readonly limitBytes: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #flushes = new Set<FlushUnderWay>();
  readonly #abandoned = new Set<FlushUnderWay>();
  readonly #scans = new Set<ScanUnderWay>();
  readonly #watches = new Set<Watch>();

  constructor(limitBytes: number, now: () => number) {
    this.limitBytes = limitBytes;
    this.#now = now;
  }

  /** Keys that are certainly there. */
  get certainKeys(): string[] {
    return [...this.#entries.keys()].filter((key) => {
      const entry = this.#live(key);
      return entry !== undefined && !entry.maybeGone;
    });
  }

  /** Something was evicted: every key may be gone. */
  evicted(): void {
    for (const [key, entry] of this.#entries) {
      entry.maybeGone = true;
      this.#forgetInScans(key);
    }
  }

  /** Forgets what has expired. */
  expire(): void {
    for (const key of [...this.#entries.keys()]) this.#live(key);
  }

  /** WATCH was answered. */
  startWatch(watch: Watch): void {
    this.#watches.add(watch);
  }

  /** The transaction of a WATCH was answered, or its client has gone. */
  endWatch(watch: Watch): void {
    this.#watches.delete(watch);
  }

  #changed(key: string): void {
    for (const watch of this.#watches) if (watch.keys.includes(key)) watch.hasChanged = true;
  }

  /** A FLUSH with a prefix was sent. */
  startFlush(prefix: string): FlushUnderWay {
    const covered = new Set<string>();
    for (const [key, entry] of this.#entries) {
      if (!key.startsWith(prefix)) continue;
      covered.add(key);
      entry.maybeGone = true;
      this.#forgetInScans(key);
    }
    const flush = { prefix, covered, hasBegun: false };
    this.#flushes.add(flush);
    return flush;
  }

  /** It was run and did not end; if no other comes first, it has begun. */
  goOnFlushing(flush: FlushUnderWay): void {
    if (this.#flushes.size === 1) flush.hasBegun = true;
  }

  /** Its reply came: what it covered is gone, unless it was written meanwhile. */
  endFlush(flush: FlushUnderWay, request: string, reply: string): void {
    if (!/^DELETED \d+$/.test(reply)) fault(request, reply, "DELETED n");
    this.#flushes.delete(flush);
    for (const key of flush.covered) this.#remove(key);
  }

  /** The client of a flush has gone; whether the flush was begun is not known. */
  abandonFlush(flush: FlushUnderWay): void {
    this.#abandoned.add(flush);
  }

  /** A sweep had nothing more to do: flushes without a client have ended, if they were begun. */
  swept(): void {
    for (const flush of this.#abandoned) this.#flushes.delete(flush);
    this.#abandoned.clear();
  }

  /** A SCAN was sent that starts at 0. */
  startScan(prefix: string): ScanUnderWay {
    const unseen = new Set(this.certainKeys.filter((key) => key.startsWith(prefix)));
    const scan = { prefix, unseen };
    this.#scans.add(scan);
    return scan;
  }

  /** One reply to a SCAN; returns the next cursor. */
  continueScan(scan: ScanUnderWay, request: string, reply: string): string {
    const [word, next, ...keys] = reply.split(" ");
    if (word !== "KEYS" || !/^\d+$/.test(next)) fault(request, reply, "KEYS next key ...");
    for (const key of keys) {
      if (!key.startsWith(scan.prefix)) fault(request, reply, `keys with ${scan.prefix}`);
      scan.unseen.delete(key);
    }
    if (next === "0") {
      this.expire();
      this.#scans.delete(scan);
      if (scan.unseen.size > 0) fault(request, reply, [...scan.unseen].join(" "));
    }
    return next;
  }

  /** The scan's client has gone. */
  dropScan(scan: ScanUnderWay): void {
    this.#scans.delete(scan);
  }

  /** `FLUSH` without a prefix, which ends in one step. */
  flushAll(request: string, reply: string): void {
    if (!/^DELETED \d+$/.test(reply)) fault(request, reply, "DELETED n");
    if (Number(reply.slice(8)) < this.certainKeys.length && !this.isEvicting) {
      fault(request, reply, `at least ${this.certainKeys.length}`);
    }
    for (const key of [...this.#entries.keys()]) this.#remove(key);
  }

  /** What MGET may say of a key now. */
  items(key: string): readonly string[] {
    const entry = this.#live(key);
    if (entry === undefined) return ["-"];
    const item = btoa(entry.value) || '""';
    return entry.maybeGone || this.isEvicting ? [item, "-"] : [item];
  }

  /**
   * Holds the reply to a request for one key, which is one of `replies`, against every case that is
   * possible, and goes on with the case that it shows.
   */
  apply(request: string, ...replies: readonly string[]): void {
    const [reply] = replies;
    if (/^ERROR out of memory/.test(reply) && this.mayRunOutOfMemory) return;
    const key = request.split(" ", 2)[1];
    const entry = this.#live(key);
    const cases: (Held | undefined)[] = [entry];
    if (entry?.maybeLasting === true) cases.push({ value: entry.value, expiresAt: Infinity });
    if (entry !== undefined && (entry.maybeGone || this.isEvicting)) cases.push(undefined);
    const outcomes = cases.map((held) => outcomeOf(request, held, this.#now(), this.limitBytes));
    const possible = outcomes.filter((one) => replies.includes(one.reply));
    const outcome = possible.at(0);
    if (outcome === undefined) {
      fault(request, reply, outcomes.map((one) => one.reply).join(" or "));
    }
    if (possible.every(({ isWritten }) => isWritten)) this.#changed(key);
    if (outcome.next === undefined) {
      this.#remove(key);
      return;
    }
    const isWritten = outcome.isWritten;
    const maybeLasting = outcome.next.expiresAt !== Infinity &&
      possible.some(({ next }) => next?.expiresAt === Infinity);
    const wasThere = outcome === outcomes[0] && entry !== undefined;
    if (!isWritten && entry !== undefined) {
      // It was seen: so it is there, unless a flush that may cover it is still under way, or the
      // reply is the same where it is gone.
      const maybeGone = this.#mayBeFlushed(key) || this.isEvicting ||
        possible.some(({ next }) => next === undefined);
      this.#entries.set(key, { ...outcome.next, maybeGone, maybeLasting });
      return;
    }
    // A flush that waits for another one may cover what is written before it begins.
    for (const { covered } of this.#flushes) covered.delete(key);
    const maybeGone = this.isEvicting || this.#mayBeFlushed(key);
    this.#entries.set(key, { ...outcome.next, maybeGone, maybeLasting });
    if (maybeGone || !wasThere) this.#forgetInScans(key);
  }

  /** Whether allocations have failed lately. */
  mayRunOutOfMemory = false;

  /** Whether a flush that is under way may remove the key. */
  #mayBeFlushed(key: string): boolean {
    return [...this.#flushes].some(({ prefix, covered, hasBegun }) =>
      covered.has(key) || !hasBegun && key.startsWith(prefix)
    );
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt > this.#now()) return entry;
    if (entry.maybeLasting) {
      const lasting = { ...entry, expiresAt: Infinity, maybeGone: true, maybeLasting: false };
      this.#entries.set(key, lasting);
      this.#forgetInScans(key);
      return lasting;
    }
    this.#remove(key);
    return undefined;
  }

  #remove(key: string): void {
    this.#entries.delete(key);
    this.#forgetInScans(key);
  }

  #forgetInScans(key: string): void {
    for (const { unseen } of this.#scans) unseen.delete(key);
  }
}

/** The reply to a request for one key, and what the key holds after it. */
interface Outcome {
  readonly reply: string;
  readonly next: Held | undefined;
  readonly isWritten: boolean;
}

/** What the protocol says of a request for one key. */
function outcomeOf(
  request: string,
  held: Held | undefined,
  now: number,
  limitBytes: number,
): Outcome {
  const [verb, key, ...words] = request.split(" ");
  const same = (reply: string): Outcome => ({ reply, next: held, isWritten: false });
  const store = (value: string, expiresAt: number, reply = "OK"): Outcome => {
    const bytesMax = limitBytes - key.length;
    if (value.length > bytesMax) return same(`ERROR value too large (max ${bytesMax} bytes)`);
    return { reply, next: { value, expiresAt }, isWritten: true };
  };
  switch (verb) {
    case "SET":
      return store(request.slice(verb.length + key.length + 2), Infinity);
    case "GET": {
      if (held === undefined) return same("NOT_FOUND");
      const expiresAt = words[0] === undefined ? held.expiresAt : now + secondsOf(words[0]);
      return {
        reply: `VALUE ${btoa(held.value)}`,
        next: { value: held.value, expiresAt },
        isWritten: false,
      };
    }
    case "DELETE":
      if (held === undefined) return same("NOT_FOUND");
      if (words[0] !== undefined && atob(words[0].slice(6)) !== held.value) return same("CONFLICT");
      return { reply: "OK", next: undefined, isWritten: true };
    case "PUT":
      return putOutcome(words, held, now, same, store);
    case "INCR": {
      const text = held?.value ?? "0";
      if (!/^(0|-?[1-9]\d{0,17})$/.test(text)) return same("ERROR value is not an integer");
      const sum = String(BigInt(text) + BigInt(words[0]));
      return store(sum, held?.expiresAt ?? Infinity, `INT ${sum}`);
    }
    case "EXPIRE": {
      if (held === undefined) return same("NOT_FOUND");
      const expiresAt = words[0] === "never" ? Infinity : now + Number(words[0]) * 1000;
      return { reply: "OK", next: { value: held.value, expiresAt }, isWritten: false };
    }
    case "TTL":
      if (held === undefined) return same("NOT_FOUND");
      if (held.expiresAt === Infinity) return same("TTL never");
      return same(`TTL ${((held.expiresAt - now) / 1000).toFixed(3)}`);
    default:
      throw new Error(`The model does not know ${verb}`);
  }
}

function putOutcome(
  words: readonly string[],
  held: Held | undefined,
  now: number,
  same: (reply: string) => Outcome,
  store: (value: string, expiresAt: number) => Outcome,
): Outcome {
  const [options, text = ""] = words;
  let expiresAt = Infinity;
  let value = text;
  for (const option of options.split(",")) {
    if (option === "b64") value = atob(text);
    if (option.startsWith("ttl=")) expiresAt = now + secondsOf(option);
    if (option === "keepttl") expiresAt = held?.expiresAt ?? Infinity;
    if (option === "absent" && held !== undefined) return same("CONFLICT");
    if (option === "present" && held === undefined) return same("NOT_FOUND");
    if (!option.startsWith("match=")) continue;
    if (held === undefined) return same("NOT_FOUND");
    if (held.value !== atob(option.slice("match=".length))) return same("CONFLICT");
  }
  return store(value, expiresAt);
}

/** The milliseconds of `ttl=S`. */
function secondsOf(option: string): number {
  return Math.round(Number(option.slice("ttl=".length)) * 1000);
}
