/**
 * What the threads of a server share, without threads: each part is made twice on the same memory,
 * as two threads would.
 *
 * @module
 */

import { commandTable, Context, Counters, countersLength } from "../commands/mod.ts";
import { autoThreads } from "../server/choose_loop.ts";
import { BufferPool } from "../server/buffer_pool.ts";
import { ServerContext } from "../server/context.ts";
import { autoThreadsMax, serverDefaults, threadsMax } from "../server/defaults.ts";
import { DescriptorRing, ringLength } from "../server/descriptor_ring.ts";
import { EventGatherer } from "../server/event_gatherer.ts";
import { eventIntervalMs, EventLog } from "../server/event_log.ts";
import { type Libc, loadLibc } from "../server/libc.ts";
import { MemoryBound } from "../server/memory_bound.ts";
import { sharedClock } from "../server/shared_clock.ts";
import { ThreadBound } from "../server/thread_bounds.ts";
import { ThreadLink } from "../server/thread_link.ts";
import { boundNames, phases, ThreadState } from "../server/thread_state.ts";
import { SharedStore, Store } from "../store.ts";
import { assert, assertEquals, assertThrows } from "./assert.ts";
import { bytesOf, within } from "./raw_client.ts";
import { ManualConnection } from "./server_manual.ts";
import { AddressedMemory } from "./store_rotation.ts";

/** The links of a server's threads, and the threads that they have woken. */
function linksOf(threads: number): { links: ThreadLink[]; woken: number[] } {
  const woken: number[] = [];
  // The eventfd of each thread is its number.
  const libc = { write: (fd: number) => woken.push(fd), close: () => 0 } as unknown as Libc;
  const { buffer } = new ThreadState(threads);
  const wakeFds = Array.from({ length: threads }, (_, thread) => thread);
  const links = wakeFds.map((thread) =>
    new ThreadLink(thread, new ThreadState(threads, buffer), wakeFds, libc)
  );
  return { links, woken };
}

Deno.test("threads: a ring gives descriptors in order, up to its length, and wraps", () => {
  const ends = new Int32Array(2).fill(0x7ffffff0);
  const descriptors = new Int32Array(ringLength);
  const near = new DescriptorRing(ends, descriptors);
  const far = new DescriptorRing(ends, descriptors);
  assertEquals(far.shift(), -1);
  let taken = 0;
  for (let put = 0, round = 0; round < 3; round++) {
    for (let n = 0; n < ringLength; n++) assert(near.push(put++), `${n}`);
    assert(!near.push(put));
    for (let n = 0; n < ringLength; n++) assertEquals(far.shift(), taken++);
    assertEquals(far.shift(), -1);
  }
  assert(ends[0] < 0, "the ends have passed the largest integer");
});

Deno.test("threads: what each thread has in the shared numbers is its own", () => {
  const threads = 3;
  const one = new ThreadState(threads);
  const other = new ThreadState(threads, one.buffer);
  for (let thread = 0; thread < threads; thread++) {
    for (let n = 0; n <= thread; n++) {
      one.addConnections(thread, 1);
      one.beat(thread);
    }
    one.counters[thread].hits = 100 + thread;
    one.counters[thread].countError("not_this_protocol");
    for (let n = 0; n < ringLength; n++) one.ringOf(thread).push(1000 * thread + n);
    boundNames.forEach((name, n) => one.boundOf(name)[8 * thread] = 10 * n + thread);
  }
  for (let thread = 0; thread < threads; thread++) {
    assertEquals([other.connectionsOf(thread), other.beatsOf(thread)], [thread + 1, thread + 1]);
    assertEquals(other.counters[thread].hits, 100 + thread);
    assertEquals(other.ringOf(thread).shift(), 1000 * thread);
    boundNames.forEach((name, n) => assertEquals(other.boundOf(name)[8 * thread], 10 * n + thread));
  }
  assertEquals([other.connections, other.phase], [6, phases.serving]);
  assertEquals(Counters.totals(other.counters).errors.not_this_protocol, 3);
  one.raise(phases.broken);
  other.raise(phases.draining);
  assertEquals(one.phase, phases.broken);
});

Deno.test("threads: totals of counters are sums, and the slowest is the slowest of all", () => {
  const all = [1, 2, 3].map(() => new Counters(new Float64Array(countersLength)));
  all.forEach((counters, n) => {
    counters.requests[2] += n;
    counters.misses += 10;
    counters.connectionOpened();
    counters.connectionOpened();
    counters.time(n, n === 1 ? 9 : n);
  });
  all[2].connectionClosed();
  all[0].connectionRefused();
  const { connections, errors, misses, requestsOf, slowestMs, slowestVerb } = Counters.totals(all);
  assertEquals(connections, { now: 5, total: 6, refused: 1, per_thread: [2, 2, 1] });
  assertEquals([requestsOf(2), misses, errors.too_many_connections], [3, 30, 1]);
  assertEquals([slowestMs, slowestVerb], [9, 1]);
});

Deno.test("threads: connections go to the thread with the fewest, and past a full ring", () => {
  const { links: [main, other], woken } = linksOf(3);
  const taken = [1, 2, 3, 4, 5].map((fd) => main.handOver(fd));
  assertEquals(taken, [false, true, true, false, true]);
  assertEquals(woken, [1, 2, 1]);
  assertEquals([other.takeOver(), other.takeOver(), other.takeOver()], [2, 5, -1]);
  for (let n = 0; n < ringLength; n++) other.state.ringOf(1).push(n);
  for (let n = 0; n < 9; n++) other.state.addConnections(n % 2 * 2, 1);
  // Thread 1 has the fewest, but takes none.
  assertEquals(main.handOver(6), false);
  assertEquals(main.state.connectionsOf(0), 8);
});

Deno.test("threads: a bound holds for all threads together", () => {
  for (const bytesMax of [100, 1000, 1 << 28]) {
    const { links, woken } = linksOf(2);
    const [one, other] = links.map((link) =>
      new MemoryBound(bytesMax, new ThreadBound(link, "input", bytesMax))
    );
    const half = bytesMax / 2;
    one.add(half);
    assertEquals(other.bytes, half);
    assertEquals([half - 1, half, half + 1].map((bytes) => other.fits(bytes)), [true, true, false]);
    other.add(half);
    assertEquals([one.fits(0), one.fits(1), other.fits(1)], [true, false, false]);
    // Nobody waits, so freeing wakes nobody.
    other.add(-1);
    assertEquals(woken, []);
    other.add(1 - half);
    assertEquals(one.bytes, half);
    let freed = 0;
    const stop = other.whenFreed(bytesMax, () => freed++);
    assertEquals(one.wantedBytes, bytesMax);
    one.add(-half);
    assertEquals([woken, freed], [[1], 0]);
    // Who is woken tries again: a thread that ticks before that must still see what is wanted.
    other.wake();
    assertEquals([freed, one.wantedBytes, other.bytes], [1, bytesMax, 0]);
    other.showWanted();
    assertEquals(one.wantedBytes, 0);
    one.add(1);
    one.add(-1);
    assertEquals(woken, [1], "who waits is woken once");
    stop();
  }
});

Deno.test("threads: a bound is passed by no more than the grains", () => {
  const { links } = linksOf(64);
  const bytesMax = 1 << 20;
  const bounds = links.map((link) =>
    new MemoryBound(bytesMax, new ThreadBound(link, "input", bytesMax))
  );
  for (let round = 0, more = true; more; round++) {
    more = false;
    for (const bound of bounds) {
      if (!bound.fits(100)) continue;
      bound.add(100);
      more = true;
    }
  }
  const held = bounds.reduce((sum, bound) => sum + bound.ownBytes, 0);
  assert(held > bytesMax * (1 - 1 / 64) && held <= bytesMax * (1 + 1 / 64), `${held}`);
});

/** The contexts of two threads that share a store of one thread, driven by turns. */
function contexts(pendingBytesMax: number, connectionsMax = 10) {
  const { links, woken } = linksOf(2);
  const store = new Store({ limitBytes: 1 << 24 });
  const events: string[] = [];
  const made = links.map((link) =>
    new ServerContext({
      commands: new Context({
        store,
        version: "0",
        verbs: commandTable.verbs,
        now: () => 0,
        shared: {
          counters: link.state.counters[link.thread],
          allCounters: link.state.counters,
          locks: { shards: 4, lockWaits: 7 },
          startedAtMs: 0,
        },
      }),
      table: commandTable,
      buffers: new BufferPool(),
      limits: { ...serverDefaults, pendingBytesMax, connectionsMax },
      events: new EventLog((event) => events.push(event)),
      onBroken: () => {},
      link,
    })
  );
  return { made, links, woken, events, store };
}

/** Lets a client's connection go on until it has replies to send. */
function untilSend({ connection }: ManualConnection): void {
  for (let steps = 0; connection.next() !== "send"; steps++) assert(steps < 1000, "it sends");
}

Deno.test("threads: the limit of connections holds for all threads together, exactly", () => {
  const { made: [one, other], links } = contexts(1000, 2);
  links[0].state.addConnections(0, 1);
  const first = new ManualConnection(one);
  assert(one.mayAccept && other.mayAccept);
  links[0].state.addConnections(1, 1);
  // It is on its way to the other thread, and counts already.
  assert(!one.mayAccept && !other.mayAccept);
  const second = new ManualConnection(other);
  const info = JSON.parse(second.ask("INFO\n").slice(5));
  assertEquals(info.connections, { now: 2, total: 2, refused: 0, per_thread: [1, 1] });
  assertEquals([info.threads, info.shards, info.lock_waits], [2, 4, 7]);
  second.close();
  assert(one.mayAccept);
  first.close();
  assertEquals(links[0].state.connections, 0);
});

Deno.test("threads: the only connection with replies may hold any size, over all threads", () => {
  const { made: [one, other], woken, store } = contexts(100_000);
  store.put(bytesOf("big"), 0, 3, new Uint8Array(300_000), 0, 300_000, Infinity);
  const first = new ManualConnection(one);
  const replyBytes = "VALUE ".length + 400_000 + 1;
  const second = new ManualConnection(other);
  // Alone, a reply of any size is sent.
  first.send("GET big\n");
  assertEquals(first.taken().length, replyBytes);
  first.receive(new TextEncoder().encode("GET big\n"));
  // It holds the copied value now, so the other thread's connection has to wait.
  untilSend(first);
  assertEquals(second.send("GET big\n"), "wait");
  assertEquals(woken, []);
  first.run();
  assertEquals(first.taken().length, replyBytes);
  assert(woken.includes(1), "the other thread is woken");
  other.replies.wake();
  assertEquals(second.run(), "read");
  assertEquals(second.taken().length, replyBytes);
  for (const client of [first, second]) client.close();
});

// Two threads that copied a large value at once both found that there was room.
Deno.test("threads: a large reply counts for the other threads before it is made", () => {
  const { made: [one, other] } = contexts(100_000);
  assert(one.tryHold(90_000, 0));
  assertEquals(other.replies.bytes, 90_000);
  assertEquals([other.tryHold(10_000, 0), other.tryHold(10_001, 0)], [true, false]);
  // Nothing came of them.
  one.polled();
  other.polled();
  assertEquals([one.replies.bytes, other.replies.bytes], [0, 0]);
});

Deno.test("threads: the largest stalled client is closed, in whichever thread it is", () => {
  const { made: [one, other], events, woken } = contexts(1_500_000);
  const small = new ManualConnection(one);
  small.ask(`SET big ${"x".repeat(600_000)}\nSET some ${"y".repeat(150_000)}\n`);
  const large = new ManualConnection(other);
  const waiting = new ManualConnection(one);
  for (const [client, key] of [[small, "some"], [large, "big"]] as const) {
    client.receive(new TextEncoder().encode(`GET ${key}\n`));
    untilSend(client);
  }
  assertEquals(waiting.send("GET big\n"), "wait");
  const tick = (nowMs: number) => {
    for (const context of [one, other]) {
      context.tick(nowMs);
      // A tick lets those who wait try again.
      waiting.run();
    }
  };
  for (const nowMs of [500, 5000]) {
    tick(nowMs);
    assertEquals([small.isClosed, large.isClosed], [false, false]);
    assertEquals(waiting.run(), "wait");
  }
  // Both have shown theirs by now.
  tick(5100);
  assertEquals([small.isClosed, large.isClosed], [false, true]);
  assert(/took none of its \d+ bytes/.test(events.join()), events.join());
  assert(woken.includes(0), "the thread that waits is woken");
  one.replies.wake();
  waiting.run();
  assertEquals(waiting.taken().length, 7 + 800_000);
  for (const client of [small, waiting]) client.close();
});

Deno.test("threads: events of a thread are passed on at its ticks, and counted in the log", () => {
  const lines: string[] = [];
  const log = new EventLog((event) => lines.push(event));
  const gatherer = new EventGatherer((events) => {
    for (const event of events) log.reportGathered(event, 1000);
  });
  for (const n of [1, 2, 3]) gatherer.report("authentication", `failed ${n}`);
  gatherer.report("fault", "broken");
  assertEquals(lines, []);
  gatherer.tick();
  assertEquals(lines, ["failed 1", "broken"]);
  log.report("authentication", "failed here", 2000);
  gatherer.report("authentication", "failed 4");
  gatherer.flush();
  gatherer.tick();
  log.tick(1000 + eventIntervalMs);
  assertEquals(lines, ["failed 1", "broken", "failed 4 (the last of 4 such events)"]);
});

Deno.test("threads: the store takes as many as the server does, and no more", () => {
  const memory = new AddressedMemory();
  const make = (threads: number) =>
    SharedStore.create({ limitBytes: 1 << 20, threads, memory, now: () => 0 });
  assertEquals(make(threadsMax).handle.threads, threadsMax);
  assertThrows(() => make(threadsMax + 1), RangeError);
});

Deno.test("threads: auto is half of the cores, within its bounds", () => {
  assertEquals([0, 1, 2, 3, 4, 9, 1000].map(autoThreads), [1, 1, 1, 1, 2, 4, autoThreadsMax]);
});

Deno.test({
  name: "threads: the clocks of two threads agree to within a millisecond",
  ignore: loadLibc() === undefined,
  async fn() {
    const now = sharedClock(loadLibc()!);
    const worker = new Worker(new URL("./server_clock_thread.ts", import.meta.url), {
      type: "module",
    });
    try {
      for (let n = 0; n < 20; n++) {
        const { promise, resolve } = Promise.withResolvers<number>();
        worker.onmessage = ({ data }) => resolve(data);
        const before = now();
        worker.postMessage(0);
        const theirs = await within(promise, "the Worker's time");
        const after = now();
        assert(before - 1 <= theirs && theirs <= after + 1, `${before} ${theirs} ${after}`);
      }
    } finally {
      worker.terminate();
    }
  },
});
