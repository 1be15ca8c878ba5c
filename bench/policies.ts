/**
 * Reference policies for miss ratios: an exact LRU, W-TinyLFU and GDSF, each in its textbook form.
 * They run in the process, know all keys of a trace beforehand and spare no memory: they show what
 * a policy can reach, not what it costs. None holds more bytes of keys and values than its limit.
 *
 * @module
 */

/** A cache under test. Keys are the numbers of a trace. */
export interface Cache {
  /** True if the key is held. */
  get(key: number): boolean;
  /** Stores the key, or overwrites it. */
  set(key: number): void;
}

/** Makes a cache for keys of these sizes, in bytes. */
export type Policy = (entryBytes: Uint32Array, limitBytes: number) => Cache;

/** The reference policies by name. */
export const policies: Readonly<Record<string, Policy>> = {
  "exact LRU": (entryBytes, limitBytes) => new Lru(entryBytes, limitBytes),
  "W-TinyLFU": (entryBytes, limitBytes) => new WTinyLfu(entryBytes, limitBytes),
  GDSF: (entryBytes, limitBytes) => new Gdsf(entryBytes, limitBytes),
};

/** Queues of keys, oldest first: circular doubly linked lists in typed arrays. */
class Queues {
  readonly #older: Int32Array;
  readonly #newer: Int32Array;
  readonly #queueOf: Int8Array;
  readonly #entryBytes: Uint32Array;
  /** The bytes of each queue's entries. */
  readonly usage: Float64Array;

  constructor(count: number, entryBytes: Uint32Array) {
    const keys = entryBytes.length;
    this.#entryBytes = entryBytes;
    this.#older = Int32Array.from({ length: keys + count }, (_, at) => at);
    this.#newer = this.#older.slice();
    this.#queueOf = new Int8Array(keys).fill(-1);
    this.usage = new Float64Array(count);
  }

  /** The queue that a key is in, or -1. */
  queueOf(key: number): number {
    return this.#queueOf[key];
  }

  /** Moves a key to the end of a queue, wherever it was. */
  append(queue: number, key: number): void {
    this.remove(key);
    const end = this.#entryBytes.length + queue;
    this.#link(this.#older[end], key);
    this.#link(key, end);
    this.#queueOf[key] = queue;
    this.usage[queue] += this.#entryBytes[key];
  }

  remove(key: number): void {
    const queue = this.#queueOf[key];
    if (queue === -1) return;
    this.#link(this.#older[key], this.#newer[key]);
    this.#queueOf[key] = -1;
    this.usage[queue] -= this.#entryBytes[key];
  }

  /** The oldest key of a queue, which must not be empty. */
  oldest(queue: number): number {
    return this.#newer[this.#entryBytes.length + queue];
  }

  #link(older: number, newer: number): void {
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }
}

/** Evicts the entry that was used the longest time ago. */
class Lru implements Cache {
  readonly #queues: Queues;

  constructor(readonly entryBytes: Uint32Array, readonly limitBytes: number) {
    this.#queues = new Queues(1, entryBytes);
  }

  get(key: number): boolean {
    if (this.#queues.queueOf(key) === -1) return false;
    this.#queues.append(0, key);
    return true;
  }

  set(key: number): void {
    const queues = this.#queues;
    if (this.entryBytes[key] > this.limitBytes) return;
    queues.append(0, key);
    while (queues.usage[0] > this.limitBytes) queues.remove(queues.oldest(0));
  }
}

/**
 * Greedy dual, size and frequency: evicts the entry with the lowest priority, which is its uses
 * since it was stored per byte, plus the priority of the last victim when it was last used. After
 * Cherkasova, "Improving WWW proxies performance with greedy-dual-size-frequency caching policy".
 */
class Gdsf implements Cache {
  readonly #uses: Float64Array;
  readonly #priority: Float64Array;
  /** A binary heap of keys, and each key's place in it, or -1. */
  readonly #heap: Int32Array;
  readonly #placeOf: Int32Array;
  #count = 0;
  #usage = 0;
  #inflation = 0;

  constructor(readonly entryBytes: Uint32Array, readonly limitBytes: number) {
    this.#uses = new Float64Array(entryBytes.length);
    this.#priority = new Float64Array(entryBytes.length);
    this.#heap = new Int32Array(entryBytes.length);
    this.#placeOf = new Int32Array(entryBytes.length).fill(-1);
  }

  get(key: number): boolean {
    if (this.#placeOf[key] === -1) return false;
    this.#use(key);
    return true;
  }

  set(key: number): void {
    if (this.get(key)) return;
    const bytes = this.entryBytes[key];
    if (bytes > this.limitBytes) return;
    while (this.#usage + bytes > this.limitBytes) this.#evict();
    this.#usage += bytes;
    this.#placeOf[key] = this.#count;
    this.#heap[this.#count++] = key;
    this.#uses[key] = 0;
    this.#use(key);
  }

  #use(key: number): void {
    this.#priority[key] = this.#inflation + ++this.#uses[key] / this.entryBytes[key];
    this.#sink(key, this.#rise(key, this.#placeOf[key]));
  }

  #evict(): void {
    const victim = this.#heap[0];
    const last = this.#heap[--this.#count];
    this.#inflation = this.#priority[victim];
    this.#usage -= this.entryBytes[victim];
    this.#placeOf[victim] = -1;
    if (last !== victim) this.#sink(last, 0);
  }

  #rise(key: number, from: number): number {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#priority[this.#heap[parent]] <= this.#priority[key]) break;
      this.#put(this.#heap[parent], place);
      place = parent;
    }
    this.#put(key, place);
    return place;
  }

  #sink(key: number, from: number): void {
    let place = from;
    for (let child = 2 * place + 1; child < this.#count; child = 2 * place + 1) {
      const other = child + 1;
      if (other < this.#count && this.#before(other, child)) child = other;
      if (this.#priority[key] <= this.#priority[this.#heap[child]]) break;
      this.#put(this.#heap[child], place);
      place = child;
    }
    this.#put(key, place);
  }

  #before(a: number, b: number): boolean {
    return this.#priority[this.#heap[a]] < this.#priority[this.#heap[b]];
  }

  #put(key: number, place: number): void {
    this.#heap[place] = key;
    this.#placeOf[key] = place;
  }
}

const windowQueue = 0;
const probationQueue = 1;
const protectedQueue = 2;
/** The share of the limit for newcomers, and of the rest for what was used while in it. */
const windowShare = 0.01;
const protectedShare = 0.8;

/**
 * A newcomer joins a small LRU, the window. When it leaves that, it displaces the oldest entry of
 * the main cache, a segmented LRU, if a sketch has counted more uses of it. After Einziger,
 * Friedman and Manes, "TinyLFU: a highly efficient cache admission policy", and Caffeine.
 */
class WTinyLfu implements Cache {
  readonly #queues: Queues;
  readonly #sketch: Sketch;
  readonly #windowBytes: number;

  constructor(readonly entryBytes: Uint32Array, readonly limitBytes: number) {
    const mean = entryBytes.reduce((sum, bytes) => sum + bytes, 0) / entryBytes.length;
    this.#queues = new Queues(3, entryBytes);
    this.#sketch = new Sketch(Math.ceil(limitBytes / mean));
    this.#windowBytes = limitBytes * windowShare;
  }

  get(key: number): boolean {
    this.#sketch.add(key);
    const queues = this.#queues;
    const queue = queues.queueOf(key);
    if (queue === -1) return false;
    queues.append(queue === windowQueue ? windowQueue : protectedQueue, key);
    const protectedBytes = (this.limitBytes - this.#windowBytes) * protectedShare;
    while (queues.usage[protectedQueue] > protectedBytes) {
      queues.append(probationQueue, queues.oldest(protectedQueue));
    }
    return true;
  }

  set(key: number): void {
    const queues = this.#queues;
    if (queues.queueOf(key) !== -1) return void this.get(key);
    if (this.entryBytes[key] > this.limitBytes) return;
    queues.append(windowQueue, key);
    while (queues.usage[windowQueue] > this.#windowBytes) {
      // The newcomer itself stays while it fits, however small the window is.
      const candidate = queues.oldest(windowQueue);
      if (candidate === key && this.#usage <= this.limitBytes) break;
      queues.append(probationQueue, candidate);
      while (this.#usage > this.limitBytes) this.#evict(candidate);
    }
    while (this.#usage > this.limitBytes) this.#evict(key);
  }

  get #usage(): number {
    const [window, probation, kept] = this.#queues.usage;
    return window + probation + kept;
  }

  /** Evicts the oldest entry of the main cache, or the candidate if that was used less. */
  #evict(candidate: number): void {
    const queues = this.#queues;
    let victim = queues.usage[probationQueue] > 0
      ? queues.oldest(probationQueue)
      : queues.oldest(queues.usage[protectedQueue] > 0 ? protectedQueue : windowQueue);
    const admitted = victim !== candidate &&
      this.#sketch.estimate(candidate) > this.#sketch.estimate(victim);
    if (!admitted && queues.queueOf(candidate) !== -1) victim = candidate;
    queues.remove(victim);
  }
}

/** Counts uses by hashes, up to 15 each; all counts are halved now and then. */
class Sketch {
  readonly #rows: Uint8Array[];
  readonly #mask: number;
  readonly #usesMax: number;
  #uses = 0;

  constructor(entries: number) {
    const width = 2 ** Math.ceil(Math.log2(Math.max(64, entries * 4)));
    this.#rows = Array.from({ length: 4 }, () => new Uint8Array(width));
    this.#mask = width - 1;
    this.#usesMax = 10 * entries;
  }

  add(key: number): void {
    const least = this.estimate(key);
    if (least === 15) return;
    // Only the lowest counts go up: the others also count different keys.
    this.#rows.forEach((row, index) => {
      const at = this.#at(key, index);
      if (row[at] === least) row[at]++;
    });
    if (++this.#uses < this.#usesMax) return;
    this.#uses = 0;
    for (const row of this.#rows) for (let at = 0; at < row.length; at++) row[at] >>= 1;
  }

  estimate(key: number): number {
    let least = 15;
    for (let index = 0; index < this.#rows.length; index++) {
      least = Math.min(least, this.#rows[index][this.#at(key, index)]);
    }
    return least;
  }

  #at(key: number, row: number): number {
    const mixed = Math.imul(key + 1, 0x9e3779b1 + 2 * Math.imul(row, 0x85ebca6b)) >>> 0;
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }
}
