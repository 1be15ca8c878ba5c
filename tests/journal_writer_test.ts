/**
 * The writer of the data file: random changes, some commits of which fail. After each of its turns
 * the store and the file hold the same, and what a failed commit was to keep is undone.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { ChangeRing, ringValueBytesMax } from "../journal/change_ring.ts";
import { Changes } from "../journal/changes.ts";
import { Database } from "../journal/database.ts";
import { JournalState, phases } from "../journal/journal_state.ts";
import { Overlay } from "../journal/overlay.ts";
import { bufferBytesHigh, ThreadJournal } from "../journal/thread_journal.ts";
import { restore, type UndoPart } from "../journal/undoing.ts";
import { Writer } from "../journal/writer.ts";
import { Random } from "../loadgen/mod.ts";
import { type ObservableStorage, Store } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";
import { until } from "./raw_client.ts";

const encoder = new TextEncoder();
/** Runs begin early, so that there are many. */
const limits = {
  most: 5_000,
  changes: 3_000,
  bytes: 400_000,
  ageMs: 60_000,
  few: 0,
  fewAgeMs: 60_000,
};
const seed = Number(Deno.env.get("BLINK_SEED") ?? 1);

/** A store, its data file and the writer, all in this thread. */
class Bench implements AsyncDisposable {
  readonly store: Store;
  readonly journal: ThreadJournal;
  readonly writer: Writer;
  readonly state = new JournalState();
  readonly events: string[] = [];
  /** Whether commits fail. */
  isFull = false;
  commits = 0;
  readonly #database: Database;
  readonly #values = new Map<number, Uint8Array>();

  private constructor(readonly folder: string, limitBytes: number) {
    const options = { limitBytes, now: () => performance.now() };
    this.store = new Store(options);
    this.journal = new ThreadJournal({
      state: this.state.buffer,
      waits: true,
      thread: 0,
      store: this.store as ObservableStorage,
      postValue: (number, value) => this.#values.set(number, value),
    });
    this.#database = Database.open(this.file, "create");
    const transact = this.#database.transact.bind(this.#database);
    this.#database.transact = (work) =>
      transact(() => {
        work();
        if (this.isFull) throw new Error("database or disk is full");
        this.commits++;
      });
    const tryWriting = this.#database.tryWriting.bind(this.#database);
    this.#database.tryWriting = () => {
      if (this.isFull) throw new Error("database or disk is full");
      tryWriting();
    };
    const ring = new ChangeRing(this.state);
    this.writer = new Writer(this.#database, this.state, ring, "always", {
      value: (number) => Promise.resolve(this.#values.get(number)!),
      wake: () => {},
      undo: (part) => this.#undo(part),
      report: (event) => this.events.push(event),
    }, limits);
  }

  static async open(limitBytes = 64 * 1024 * 1024): Promise<Bench> {
    return new Bench(await Deno.makeTempDir({ prefix: "blink-writer-" }), limitBytes);
  }

  get file(): string {
    return `${this.folder}/store.db`;
  }

  /** What the store holds. */
  held(): Map<string, string> {
    const { store } = this;
    const held = new Map<string, string>();
    for (let cursor = 0, isFirst = true; isFirst || cursor !== 0; isFirst = false) {
      const keys: Uint8Array[] = [];
      cursor = store.scan(cursor, 1000, (bytes, start, end) => keys.push(bytes.slice(start, end)));
      for (const key of keys) {
        const handle = store.find(key, 0, key.length);
        const value = new Uint8Array(store.lengthOf(handle));
        store.copyTo(handle, value, 0);
        const expires = store.expiryOf(handle) !== Infinity;
        held.set(new TextDecoder().decode(key), `${hash(value)} ${expires}`);
      }
    }
    return held;
  }

  /** What the file holds, as another process reads it. */
  kept(): Map<string, string> {
    const database = Database.open(this.file, "read");
    try {
      const journal = Array.from(database.journal(), (bytes) => new Changes(bytes));
      const kept = new Map<string, string>();
      for (const { key, value, expiresAt } of new Overlay(database, journal).entries()) {
        kept.set(new TextDecoder().decode(key), `${hash(value)} ${expiresAt !== 0}`);
      }
      return kept;
    } finally {
      database.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
    await Deno.remove(this.folder, { recursive: true });
  }

  /** As the main thread of a server does. */
  #undo(part: UndoPart): void {
    restore(this.journal.store, part);
    this.state.addUndone();
  }
}

/** Tells values apart. */
function hash(value: Uint8Array): string {
  let sum = value.length;
  for (const byte of value) sum = Math.imul(sum, 31) + byte | 0;
  return `${value.length}:${sum}`;
}

function sorted(entries: Map<string, string>): [string, string][] {
  return [...entries].sort(([one], [other]) => one < other ? -1 : 1);
}

/** Makes one random change. */
function change(bench: Bench, random: Random, keys: number): void {
  const { store } = bench.journal;
  const key = encoder.encode(`${random.next() % 4}:${random.next() % keys}`);
  const put = () => {
    const kind = random.next() % 300;
    const length = kind === 0 ? 300_000 + random.next() % 200_000 : random.next() % 100;
    const value = new Uint8Array(length).fill(random.next());
    const expiresAt = random.next() % 4 === 0 ? store.now() + 1e6 : Infinity;
    store.enterAll();
    store.putNow(key, 0, key.length, value, 0, length, expiresAt);
    store.leaveAll();
  };
  switch (random.next() % 10) {
    case 0:
      store.delete(key, 0, key.length);
      break;
    case 1:
      store.expire(key, 0, key.length, random.next() % 2 === 0 ? Infinity : store.now() + 1e6);
      break;
    case 2:
      if (random.next() % 200 === 0) store.flushAll();
      else if (random.next() % 100 === 0) {
        const flush = store.startFlush(encoder.encode(`${random.next() % 4}:`));
        while (flush.step() === undefined);
      }
      break;
    default:
      put();
  }
}

for (const keys of [10, 3_000]) {
  Deno.test(`random changes of ${4 * keys} keys are in the file after each turn`, async () => {
    await using bench = await Bench.open();
    const random = new Random(seed);
    for (let turn = 0; turn < 300; turn++) {
      const count = random.next() % 3 === 0 ? random.next() % 5 : random.next() % 600;
      for (let n = 0; n < count; n++) change(bench, random, keys);
      await bench.writer.turn();
      if (random.next() % 4 === 0) bench.writer.maintain();
      assertEquals(bench.journal.isDecided(bench.journal.position), true);
      if (turn % 10 === 0) assertEquals(sorted(bench.kept()), sorted(bench.held()), `turn ${turn}`);
    }
    assertEquals(sorted(bench.kept()), sorted(bench.held()));
    assertEquals(bench.state.undecided, 0);
    bench.store.verify();
  });

  Deno.test(`failed commits of ${4 * keys} keys are undone`, async () => {
    await using bench = await Bench.open();
    const random = new Random(seed + 1);
    let failures = 0;
    let before = sorted(bench.held());
    for (let turn = 0; turn < 300; turn++) {
      bench.isFull = random.next() % 3 === 0;
      const count = random.next() % 3 === 0 ? random.next() % 5 : random.next() % 600;
      for (let n = 0; n < count; n++) change(bench, random, keys);
      const changed = bench.journal.changes;
      const position = bench.journal.position;
      await bench.writer.turn();
      assertEquals(bench.journal.isDecided(position), true);
      if (bench.state.phase === phases.refusing && bench.isFull && count > 0 && changed > 0) {
        failures++;
        assertEquals(sorted(bench.held()), before, `turn ${turn}`);
      }
      const held = sorted(bench.held());
      if (turn % 10 === 0) assertEquals(sorted(bench.kept()), held, `turn ${turn}`);
      before = held;
    }
    assert(failures > 30, `${failures} turns failed`);
    assert(bench.events.length > 1 && bench.events.length <= 2 * failures);
    bench.store.verify();
  });
}

Deno.test("what is evicted leaves the file with the next commit, and not by itself", async () => {
  await using bench = await Bench.open(40_000);
  const random = new Random(seed);
  for (let turn = 0; turn < 200; turn++) {
    for (let n = 0; n < 100; n++) change(bench, random, 3_000);
    await bench.writer.turn();
    if (turn % 10 === 0) assertEquals(sorted(bench.kept()), sorted(bench.held()), `turn ${turn}`);
  }
  assert(bench.store.stats.evictions > 100, `${bench.store.stats.evictions} evictions`);
  const { commits } = bench;
  bench.store.setLimit(bench.store.usage >> 1);
  while (!bench.store.changeLimit());
  await bench.writer.turn();
  assertEquals(bench.commits, commits);
  assert(bench.kept().size > bench.held().size);
  change(bench, random, 1);
  bench.journal.store.flushAll();
  await bench.writer.turn();
  assertEquals(bench.kept().size, 0);
});

Deno.test("evictions among failed commits are undone or caught up with", async () => {
  await using bench = await Bench.open(40_000);
  const random = new Random(seed + 2);
  for (let turn = 0; turn < 300; turn++) {
    bench.isFull = random.next() % 3 === 0;
    for (let n = 0; n < 100; n++) change(bench, random, 3_000);
    await bench.writer.turn();
  }
  bench.isFull = false;
  change(bench, random, 10);
  bench.journal.store.enterAll();
  bench.journal.store.putNow(encoder.encode("k"), 0, 1, encoder.encode("v"), 0, 1, Infinity);
  bench.journal.store.leaveAll();
  await bench.writer.turn();
  assertEquals(sorted(bench.kept()), sorted(bench.held()));
});

Deno.test("a failed commit is told apart from those before and after it", async () => {
  await using bench = await Bench.open();
  const { journal } = bench;
  const put = (value: string): number => {
    const bytes = encoder.encode(value);
    journal.store.put(bytes, 0, 1, bytes, 0, bytes.length, Infinity);
    return journal.position;
  };
  const kept = put("a1");
  await bench.writer.turn();
  bench.isFull = true;
  const failed = [put("a2"), put("b2")];
  assertEquals([kept, ...failed].map((position) => journal.isDecided(position)), [
    true,
    false,
    false,
  ]);
  await bench.writer.turn();
  assertEquals([kept, ...failed].map((position) => journal.isDecided(position)), [
    true,
    true,
    true,
  ]);
  assertEquals([kept, ...failed].map((position) => journal.hasFailed(position)), [
    false,
    true,
    true,
  ]);
  assertEquals(journal.isRefusing, true);
  bench.isFull = false;
  const later = put("c3");
  await bench.writer.turn();
  assertEquals([journal.hasFailed(later), journal.isRefusing], [false, false]);
  assertEquals([...bench.held().keys()].sort(), ["a", "c"]);
  assertEquals(bench.events.length, 2);
});

Deno.test("what an interrupted probe for room has left is no change, and does not stop the next", async () => {
  await using bench = await Bench.open();
  const sqlite = new DatabaseSync(bench.file);
  const leave = () =>
    sqlite.exec("insert into journal (id, changes, checksum) values (0, zeroblob(1000), 0)");
  const random = new Random(seed);
  leave();
  for (let n = 0; n < 100; n++) change(bench, random, 3_000);
  await bench.writer.turn();
  assertEquals(sorted(bench.kept()), sorted(bench.held()));
  bench.isFull = true;
  for (let n = 0; n < 100; n++) change(bench, random, 3_000);
  await bench.writer.turn();
  assertEquals(bench.journal.isRefusing, true);
  bench.isFull = false;
  await until(() => {
    bench.writer.maintain();
    return !bench.journal.isRefusing;
  }, "the next probe");
  assertEquals(sqlite.prepare("select count(*) as rows from journal where id = 0").get()?.rows, 0);
  sqlite.close();
  for (let n = 0; n < 100; n++) change(bench, random, 3_000);
  await bench.writer.turn();
  assertEquals(sorted(bench.kept()), sorted(bench.held()));
});

Deno.test("the largest value that goes through the ring, and one more byte", async () => {
  await using bench = await Bench.open();
  for (const length of [ringValueBytesMax, ringValueBytesMax + 1]) {
    const key = encoder.encode(`${length}`);
    const value = new Uint8Array(length).fill(length);
    bench.journal.store.put(key, 0, key.length, value, 0, length, Infinity);
    assertEquals(bench.state.bufferBytes > 0, length > ringValueBytesMax);
    await bench.writer.turn();
    assertEquals(sorted(bench.kept()), sorted(bench.held()));
    assertEquals(bench.state.bufferBytes, 0);
  }
});

Deno.test("writers are held back by values of their own buffers, at the edge", async () => {
  await using bench = await Bench.open();
  const { journal, state } = bench;
  state.addBufferBytes(bufferBytesHigh);
  assertEquals([journal.isCrowded, journal.holdsWrites], [false, false]);
  // Buffers are counted in KiB.
  state.addBufferBytes(1024);
  assertEquals([journal.isCrowded, journal.holdsWrites], [true, true]);
  state.addBufferBytes(-1024);
  assertEquals(journal.isCrowded, false);
});

Deno.test("more changes than a run can have are brought to the table at once", async () => {
  for (const [count, rows] of [[limits.most, 1], [limits.most + 1, 0]]) {
    await using bench = await Bench.open();
    using sqlite = new DatabaseSync(bench.file);
    const journal = sqlite.prepare("select count(*) as rows from journal");
    const { store } = bench.journal;
    for (let n = 0; n < count; n++) {
      const key = encoder.encode(`${n}`);
      store.put(key, 0, key.length, key, 0, key.length, Infinity);
    }
    await bench.writer.turn();
    assertEquals(journal.get()?.rows, rows, `${count} changes`);
    // The same where there are some already, and where a run is under way.
    const random = new Random(seed);
    for (let turn = 0; turn < 6; turn++) {
      const more = turn % 2 === 0 ? limits.most - 1 : 100;
      for (let n = 0; n < more; n++) change(bench, random, 3_000);
      await bench.writer.turn();
    }
    assertEquals(sorted(bench.kept()), sorted(bench.held()), `behind ${count} changes`);
  }
});
