import { missRatio, replayOnPolicy, replayOnStore } from "../bench/replay.ts";
import { entryBytes, makeTrace, totalBytes, type Trace, traceNames } from "../bench/traces.ts";
import { soak } from "../bench/soak.ts";
import { churn } from "../bench/stall.ts";
import { assert, assertEquals, assertThrows } from "./assert.ts";

const size = { keys: 5000, length: 60_000 };

/** The requests as they are made one at a time on a list, oldest first. */
function missesOfList({ requests, ...trace }: Trace, limitBytes: number): number {
  const held: number[] = [];
  let misses = 0;
  const use = (key: number) => {
    const at = held.indexOf(key);
    if (at >= 0) held.splice(at, 1);
    held.push(key);
    const usage = () => held.reduce((sum, one) => sum + 16 + trace.valueBytes(one), 0);
    while (usage() > limitBytes) held.shift();
  };
  for (const request of requests) {
    const key = request >>> 1;
    if ((request & 1) === 0 && !held.includes(key)) misses++;
    use(key);
  }
  return misses;
}

Deno.test("the exact LRU is exact", () => {
  for (const name of ["overwrite", "mixed"]) {
    const trace = makeTrace(name, { keys: 40, length: 2000 });
    const limitBytes = Math.floor(totalBytes(trace) / 4);
    const { misses } = replayOnPolicy(trace, "exact LRU", limitBytes);
    assertEquals(misses, missesOfList(trace, limitBytes), name);
  }
});

Deno.test("a trace is the same each time, and another with another seed", () => {
  for (const name of traceNames) {
    const { requests } = makeTrace(name, size);
    assertEquals(makeTrace(name, size).requests, requests);
    const other = makeTrace(name, { ...size, seed: 2 }).requests;
    assert(other.some((request, index) => request !== requests[index]), name);
    assert(requests.every((request) => request >>> 1 < size.keys), name);
  }
  assertThrows(
    () => makeTrace("loop", size),
    Error,
    "Cannot make the trace loop: there are zipf-0.8",
  );
});

Deno.test("traces are what their names say", () => {
  const sets = makeTrace("overwrite", size).requests.filter((request) => request & 1).length;
  assert(Math.abs(sets / size.length - 0.3) < 0.01);
  const mixed = makeTrace("mixed", size);
  const lengths = new Set(Array.from({ length: size.keys }, (_, key) => mixed.valueBytes(key)));
  assertEquals([Math.min(...lengths), Math.max(...lengths), lengths.size], [16, 4096, 25]);
  assertEquals(entryBytes(makeTrace("drift", size), 1), 80);
  const drift = makeTrace("drift", size).requests;
  const first = new Set(drift.subarray(0, 6000));
  assert(!drift.subarray(-6000).some((request) => first.has(request)), "the working set moved on");
});

Deno.test("a store that holds everything misses each key once", () => {
  for (const name of traceNames) {
    const trace = makeTrace(name, size);
    const seen = new Set<number>();
    let firsts = 0;
    for (const request of trace.requests) {
      const key = request >>> 1;
      if ((request & 1) === 0 && !seen.has(key)) firsts++;
      seen.add(key);
    }
    const limitBytes = totalBytes(trace);
    assertEquals(replayOnStore(trace, limitBytes).misses, firsts, name);
    assertEquals(replayOnPolicy(trace, "exact LRU", limitBytes).misses, firsts, name);
  }
});

Deno.test("the store misses less than an exact LRU, and on no trace much more", () => {
  let better = 0;
  for (const name of traceNames) {
    const trace = makeTrace(name, { keys: 20_000, length: 150_000 });
    const limitBytes = Math.floor(totalBytes(trace) / 10);
    const ratio = missRatio(replayOnStore(trace, limitBytes));
    const lru = missRatio(replayOnPolicy(trace, "exact LRU", limitBytes));
    assert(ratio <= lru * 1.02, `${name}: ${ratio}, LRU ${lru}`);
    if (ratio < lru * 0.95) better++;
  }
  assert(better >= 6, `clearly better on ${better} of ${traceNames.length} traces`);
});

Deno.test("the benches that take hours also run briefly", () => {
  // Clocks that advance by 1/128 ms with each look: so the number of operations is the same each time.
  const clock = () => {
    let ticks = 0;
    return () => ticks++ / 128;
  };
  const soaked = soak({ limitBytes: 1 << 20, seconds: 0.5, seed: 1, now: clock() });
  assert(soaked.operations > 30_000, `${soaked.operations} operations`);
  assert(soaked.residentBytesMax > 1 << 20, `${soaked.residentBytesMax} bytes resident`);
  const { puts, maxMs, p9999Ms } = churn(1 << 20, 0.5, clock());
  assert(puts > 10_000, `${puts} puts`);
  assertEquals([maxMs, p9999Ms], [1 / 128, 1 / 128]);
});
