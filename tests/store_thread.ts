/**
 * One thread of `store_threads_test.ts`: a Worker that does random operations on a store that other
 * threads work on too, and checks what it can know.
 *
 * - Keys of its own, which no other thread writes: it knows every value, and that a scan finds them.
 * - Counters that all threads add to: the sum is checked by the test.
 * - A lock by which threads exclude each other from a number that they change in two calls.
 *
 * Where the limit is small, any key can be evicted at any time; then a value must still be whole.
 *
 * @module
 */

import { openSharedMemory, type PutOperation, SharedStore } from "../store.ts";
import type { SharedStoreHandle } from "../store.ts";

/** What a thread is to do. */
export interface ThreadTask {
  handle: SharedStoreHandle;
  thread: number;
  seed: number;
  steps: number;
  /** Whether the limit is so small that entries are evicted. */
  evicts: boolean;
}

/** What it has done. */
export interface ThreadResult {
  /** How much it added to each counter. */
  added: number[];
  /** How often it held the lock. */
  locked: number;
  error?: string;
}

/** Counters that all threads share. */
export const counters = 8;

const ownKeys = 400;
const callsMax = 1_000_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A random program on a shared store. */
class ThreadProgram {
  readonly #task: ThreadTask;
  readonly #limitBytes: number;
  readonly #store: SharedStore;
  readonly #result: ThreadResult = { added: new Array(counters).fill(0), locked: 0 };
  /** The length and the fill of each of the thread's own values. */
  readonly #own = new Map<string, [length: number, fill: number]>();
  #random: number;

  constructor(task: ThreadTask) {
    this.#task = task;
    this.#random = task.seed;
    const memory = openSharedMemory();
    if (memory === undefined) throw new Error("no shared memory");
    const now = () => performance.timeOrigin + performance.now();
    this.#store = SharedStore.attach(task.handle, { thread: task.thread, memory, now });
    this.#limitBytes = this.#store.limitBytes;
  }

  run(): ThreadResult {
    for (let step = 0; step < this.#task.steps; step++) this.#step();
    while (this.#store.sweep());
    return this.#result;
  }

  #step(): void {
    const choice = this.#below(1_000);
    if (choice < 400) this.#get(this.#ownKey());
    else if (choice < 650) this.#put(this.#ownKey(), this.#below(300));
    else if (choice < 670) this.#put(this.#ownKey(), this.#below(20_000));
    else if (choice < 671) this.#put(this.#ownKey(), this.#below(1_500_000));
    else if (choice < 750) this.#delete(this.#ownKey());
    else if (choice < 900) this.#add(this.#below(counters));
    else if (choice < 980) this.#underLock();
    else if (choice < 984) this.#scan();
    else if (choice < 985) this.#flush();
    else if (choice < 994) this.#store.sweep();
    else if (choice < 995) this.#changeLimit();
    else this.#checkUsage();
  }

  #ownKey(): string {
    return `t${this.#task.thread}:${this.#below(ownKeys).toString(36)}`;
  }

  #get(name: string): void {
    const store = this.#store;
    const key = encoder.encode(name);
    store.enter(key, 0, key.length);
    const handle = store.get(key, 0, key.length);
    const length = handle === 0 ? 0 : store.lengthOf(handle);
    const value = new Uint8Array(length);
    if (handle !== 0) store.copyTo(handle, value, 0);
    store.leave();
    this.#check(name, handle === 0 ? undefined : value);
  }

  #check(name: string, value: Uint8Array | undefined): void {
    const own = this.#own.get(name);
    if (value === undefined) {
      if (this.#task.evicts) this.#own.delete(name);
      else if (own !== undefined) throw new Error(`${name} is missing`);
      return;
    }
    if (own === undefined) throw new Error(`${name} should not be there`);
    const [length, fill] = own;
    if (value.length !== length) throw new Error(`${name}: ${value.length} bytes, not ${length}`);
    const wrong = value.findIndex((byte) => byte !== fill);
    if (wrong >= 0) throw new Error(`${name}: byte ${wrong} is ${value[wrong]}, not ${fill}`);
  }

  #put(name: string, length: number): void {
    const key = encoder.encode(name);
    const fill = this.#below(256);
    const value = new Uint8Array(length).fill(fill);
    let outcome = this.#store.put(key, 0, key.length, value, 0, length, Infinity) as string;
    if (outcome === "unfinished") outcome = this.#putInCalls(key, value);
    if (outcome === "stored") this.#own.set(name, [length, fill]);
    else if (outcome !== "too large") throw new Error(`${name}: ${outcome}`);
  }

  #putInCalls(key: Uint8Array, value: Uint8Array): string {
    const put: PutOperation = this.#store.startPut();
    const cancelAt = this.#below(8) === 0 ? this.#below(20) : callsMax;
    for (let calls = 0; calls < callsMax; calls++) {
      if (calls === cancelAt) {
        put.cancel();
        return "too large";
      }
      const { length } = value;
      const outcome = this.#store.put(key, 0, key.length, value, 0, length, Infinity, put);
      if (outcome !== "unfinished") return outcome;
    }
    throw new Error("a put never ends");
  }

  #delete(name: string): void {
    const key = encoder.encode(name);
    const wasThere = this.#store.delete(key, 0, key.length);
    const own = this.#own.delete(name);
    if (!this.#task.evicts && wasThere !== own) throw new Error(`${name}: deleted ${wasThere}`);
  }

  /** Adds one to a counter, atomically. */
  #add(counter: number): void {
    const key = encoder.encode(`counter${counter}`);
    this.#store.enter(key, 0, key.length);
    this.#increment(key);
    this.#store.leave();
    this.#result.added[counter]++;
  }

  /** Adds one to the number of a key, in two calls. */
  #increment(key: Uint8Array): void {
    const store = this.#store;
    const handle = store.get(key, 0, key.length);
    const value = new Uint8Array(8);
    if (handle !== 0) store.copyTo(handle, value, 0);
    const number = new Float64Array(value.buffer);
    number[0]++;
    const outcome = store.put(key, 0, key.length, value, 0, 8, Infinity);
    if (outcome !== "stored" && !this.#task.evicts) throw new Error(`counter: ${outcome}`);
  }

  /** Takes a lock that is a key, and changes a number that the lock protects, in separate calls. */
  #underLock(): void {
    if (this.#task.evicts) return;
    const store = this.#store;
    const lock = encoder.encode("lock");
    const guarded = encoder.encode("guarded");
    store.enter(lock, 0, lock.length);
    const isFree = store.find(lock, 0, lock.length) === 0;
    if (isFree) store.put(lock, 0, lock.length, lock, 0, 1, Infinity);
    store.leave();
    if (!isFree) return;
    this.#increment(guarded);
    this.#result.locked++;
    if (!store.delete(lock, 0, lock.length)) throw new Error("the lock is gone");
  }

  /** A scan must find this thread's keys: nobody else changes them. */
  #scan(): void {
    const prefix = encoder.encode(`t${this.#task.thread}:`);
    const found = new Set<string>();
    let cursor = 0;
    let calls = 0;
    do {
      if (calls++ > callsMax) throw new Error("a scan never ends");
      cursor = this.#store.scan(cursor, 100, (bytes, start, end) => {
        found.add(decoder.decode(bytes.slice(start, end)));
      }, prefix);
    } while (cursor !== 0);
    for (const name of found) if (!this.#own.has(name)) throw new Error(`scan found ${name}`);
    if (this.#task.evicts) return;
    for (const name of this.#own.keys()) {
      if (!found.has(name)) throw new Error(`scan missed ${name}`);
    }
  }

  /** Flushes some of this thread's keys; their number is known. */
  #flush(): void {
    const prefix = `t${this.#task.thread}:${this.#below(36).toString(36)}`;
    const flush = this.#store.startFlush(encoder.encode(prefix));
    let removed: number | undefined;
    for (let calls = 0; removed === undefined; calls++) {
      if (calls > callsMax) throw new Error("a flush never ends");
      removed = flush.step();
    }
    const names = [...this.#own.keys()].filter((name) => name.startsWith(prefix));
    for (const name of names) this.#own.delete(name);
    const isRight = this.#task.evicts ? removed <= names.length : removed === names.length;
    if (!isRight) throw new Error(`FLUSH ${prefix} removed ${removed} of ${names.length}`);
  }

  /** One thread sets the limit, where entries may be evicted; all carry the change on. */
  #changeLimit(): void {
    const { thread, evicts } = this.#task;
    if (thread === 0 && evicts) {
      this.#store.setLimit(Math.ceil(this.#limitBytes * (0.3 + this.#below(100) / 100)));
    }
    this.#store.changeLimit();
  }

  /** Only the thread that sets the limit knows that it has not risen since it looked. */
  #checkUsage(): void {
    if (this.#task.thread !== 0) return;
    const { limitBytes } = this.#store;
    const { usage } = this.#store;
    if (usage > limitBytes) throw new Error(`USAGE ${usage} is above the limit ${limitBytes}`);
  }

  #below(bound: number): number {
    // A linear congruential generator; its high bits are good enough for this.
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(this.#random / 2 ** 32 * bound);
  }
}

declare const self: {
  onmessage: (event: MessageEvent<ThreadTask>) => void;
  postMessage(result: ThreadResult): void;
};

if ("WorkerGlobalScope" in globalThis) {
  self.onmessage = ({ data }) => {
    try {
      self.postMessage(new ThreadProgram(data).run());
    } catch (error) {
      const text = error instanceof Error ? error.stack ?? error.message : String(error);
      self.postMessage({ added: [], locked: 0, error: text });
    }
  };
}
