/**
 * Real threads work on one store at the same time: see store_thread.ts. `deno task simulate` is the
 * long form. Skipped where threads cannot share a store: it takes Linux and FFI.
 *
 * @module
 */

import { openSharedMemory, SharedStore } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";
import { counters, type ThreadResult, type ThreadTask } from "./store_thread.ts";
import { seed as defaultSeed } from "./store_mixes.ts";

const isLong = Deno.env.get("BLINK_SIMULATION") === "long";
/** Operations of all threads together, in each of the four shapes. */
const operationsWanted = isLong ? 5_000_000 : 250_000;
const isSeedGiven = Deno.env.has("BLINK_SEED");
const seed = isLong && !isSeedGiven ? crypto.getRandomValues(new Uint32Array(1))[0] : defaultSeed;
const MIB = 1_048_576;

const shapes = [
  { threads: 2, shards: 1, limitBytes: 512 * MIB, evicts: false },
  { threads: 4, shards: 16, limitBytes: 512 * MIB, evicts: false },
  { threads: 4, shards: 4, limitBytes: 2 * MIB, evicts: true },
  { threads: 3, shards: 1, limitBytes: 300_000, evicts: true },
];

const memory = openSharedMemory();

/** Runs one thread's task in a Worker. */
function runThread(task: ThreadTask): Promise<ThreadResult> {
  const worker = new Worker(new URL("./store_thread.ts", import.meta.url), { type: "module" });
  return new Promise<ThreadResult>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(task);
  }).finally(() => worker.terminate());
}

for (const { threads, shards, limitBytes, evicts } of shapes) {
  const name = `${threads} threads, ${shards} shards, limit ${limitBytes} bytes, seed ${seed}`;
  const ignore = memory === undefined;
  Deno.test({ name: `shared store: real threads, ${name}`, ignore }, async () => {
    if (memory === undefined) return;
    const now = () => performance.timeOrigin + performance.now();
    const store = SharedStore.create({ limitBytes, threads, shards, memory, now });
    const steps = Math.ceil(operationsWanted / threads);
    const tasks = Array.from({ length: threads }, (_, thread) => {
      return { handle: store.handle, thread, seed: seed + thread * 7_919, steps, evicts };
    });
    const results = await Promise.all(tasks.map(runThread));
    assertEquals(results.flatMap(({ error }) => error ?? []), []);
    while (store.sweep());
    store.verify();
    assert(store.usage <= store.limitBytes);
    if (evicts) return assert(store.stats.evictions > 0, "nothing was evicted");
    assertEquals(store.stats.evictions, 0);
    for (let counter = 0; counter < counters; counter++) {
      const wanted = results.reduce((sum, { added }) => sum + added[counter], 0);
      assertEquals(numberOf(store, `counter${counter}`), wanted);
    }
    assertEquals(numberOf(store, "guarded"), results.reduce((sum, { locked }) => sum + locked, 0));
  });
}

function numberOf(store: SharedStore, name: string): number {
  const key = new TextEncoder().encode(name);
  const handle = store.find(key, 0, key.length);
  const value = new Uint8Array(8);
  if (handle !== 0) store.copyTo(handle, value, 0);
  return new Float64Array(value.buffer)[0];
}
