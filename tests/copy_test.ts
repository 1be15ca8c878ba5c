/** The copy between fakes: what is copied, what is counted, and that no cut loses an entry. */

import {
  copyDefaults,
  copyEntries,
  type CopyOptions,
  type CopyState,
  noCounts,
} from "../copy/mod.ts";
import { batchesOf, lossesPerEntryMax, restartsMax } from "../copy/copy_entries.ts";
import { namedKeysMax, reasonsMax, showKey, Tally, typesMax } from "../copy/counts.ts";
import { assert, assertEquals } from "./assert.ts";
import { FakeClock, FakeSource, FakeTarget } from "./copy_fakes.ts";

interface Sides {
  readonly source: FakeSource;
  readonly target: FakeTarget;
  readonly clock: FakeClock;
}

function sides(entries = 0): Sides {
  const source = new FakeSource();
  for (let number = 0; number < entries; number++) source.set(`key:${number}`, `value ${number}`);
  return { source, target: new FakeTarget(), clock: new FakeClock() };
}

/** Copies in batches of 10 keys. */
function copy(given: Sides, options: Partial<CopyOptions> = {}) {
  return copyEntries({ ...given, batchKeys: 10, ...options });
}

/** What the target must hold. */
function expected(source: FakeSource) {
  const strings = [...source.entries].flatMap(([key, held]) =>
    "value" in held
      ? [[key, { value: new TextDecoder().decode(held.value), expiresAtMs: held.expiresAtMs }]]
      : []
  );
  return Object.fromEntries(strings);
}

Deno.test("copy: every string with its value and its expiry, to the millisecond", async () => {
  const given = sides(95);
  given.source.set("empty", "").set("soon", "x", given.clock.ms + 1).set("", "the empty key");
  const result = await copy(given);
  assertEquals(result.end, "done");
  assertEquals(Object.fromEntries(given.target.entries), expected(given.source));
  assertEquals(given.target.entries.get("soon")?.expiresAtMs, given.clock.ms + 1);
  const { seen, copied, gone, others, refused } = result.counts;
  assertEquals({ seen, copied, gone, others, refused }, {
    seen: 98,
    copied: 98,
    gone: 0,
    others: {},
    refused: {},
  });
});

Deno.test("copy: other types and refused keys are counted, and what expires meanwhile is left out", async () => {
  const given = sides(3);
  const { source, target, clock } = given;
  for (const [key, type] of [["h", "hash"], ["l1", "list"], ["l2", "list"], ["s", "secret"]]) {
    source.entries.set(key, { type });
  }
  source.set("late", "x", clock.ms + 5).set("deleted", "x").set("changed", "x");
  source.beforeRead = () => {
    clock.ms += 5;
    source.entries.delete("deleted");
    source.entries.set("changed", { type: "zset" });
  };
  target.refuses = (key) => key === "key:1" ? "target: OOM" : undefined;
  const { end, counts } = await copy(given);
  assertEquals(end, "done");
  assertEquals([...target.entries.keys()], ["key:0", "key:2"]);
  assertEquals(counts, {
    seen: 10,
    copied: 2,
    bytes: 2 * "key:0value 0".length,
    gone: 2,
    present: 0,
    others: { hash: 1, list: 2, zset: 1 },
    refused: {
      "source: NOPERM": { count: 1, keys: ['"s"'] },
      "target: OOM": { count: 1, keys: ['"key:1"'] },
    },
  });
});

Deno.test("copy: a key that the target has is written over, or left alone", async () => {
  const given = sides(3);
  const old = { value: "old", expiresAtMs: undefined };
  given.target.entries.set("key:1", old);
  const skipped = await copy(given, { ifPresent: "skip" });
  assertEquals([skipped.counts.copied, skipped.counts.present], [2, 1]);
  assertEquals(given.target.entries.get("key:1"), old);
  const written = await copy(given);
  assertEquals([written.counts.copied, written.counts.present], [3, 0]);
  assertEquals(Object.fromEntries(given.target.entries), expected(given.source));
});

Deno.test("copy: a dry run counts, and neither reads values nor writes", async () => {
  const given = sides(25);
  given.source.entries.set("l", { type: "list" });
  const { counts } = await copy(given, { dryRun: true });
  assertEquals([counts.seen, counts.copied, counts.others], [26, 25, { list: 1 }]);
  const called = new Set([...given.source.calls, ...given.target.calls]);
  assertEquals(called, new Set(["identity", "size", "scan", "describe"]));
});

Deno.test("copy: only the keys that match are copied", async () => {
  const given = sides(25);
  const { counts } = await copy(given, { match: "key:1" });
  assertEquals(counts.copied, 11);
});

Deno.test("copy: batches hold to their bounds of keys and of bytes", async () => {
  const bytes = (...sizes: number[]) =>
    batchesOf(sizes.map((valueBytes) => ({ key: new Uint8Array(1), valueBytes })), 10)
      .map((batch) => batch.length);
  assertEquals(bytes(), []);
  assertEquals(bytes(5, 5, 1), [2, 1]);
  assertEquals(bytes(5, 6), [1, 1]);
  assertEquals(bytes(10, 0, 1), [2, 1]);
  assertEquals(bytes(1, 11, 1), [1, 1, 1]);

  const given = sides();
  for (let number = 0; number < 50; number++) given.source.set(`${number}`, "x".repeat(30));
  given.source.set("large", "x".repeat(1000));
  given.source.pageKeysMin = 25;
  const { counts } = await copy(given, { batchBytes: 100 });
  assertEquals(counts.copied, 51);
  assertEquals(given.source.bytesReadMax, 1000, "the large value is alone");
  assertEquals(given.source.keysMax, 10);
});

Deno.test("copy: the same store on both sides is refused before anything is read", async () => {
  const given = { ...sides(3), target: new FakeTarget("source") };
  const { end, reason } = await copy(given);
  assertEquals([end, reason], ["failed", "The source and the target are the same store"]);
  assertEquals(given.source.calls, ["identity"]);
});

Deno.test("copy: each loss of either side is made good, at whatever call it happens", async () => {
  const calls = async (side: "source" | "target") => {
    const given = sides(35);
    await copy(given);
    return given[side].calls;
  };
  for (const side of ["source", "target"] as const) {
    const names = await calls(side);
    assert(names.length >= 5);
    for (const [at, name] of names.entries()) {
      if (at === 0) continue; // The first connection is tried once.
      const given = sides(35);
      given[side].loses = (_, number) => number >= at && number < at + 3;
      const result = await copy(given);
      assertEquals(result.end, "done", `${side} lost at call ${at}, ${name}: ${result.reason}`);
      assertEquals(Object.fromEntries(given.target.entries), expected(given.source));
      assertEquals(result.counts.copied, 35);
    }
  }
});

Deno.test("copy: a side that stays away ends the copy after the time given", async () => {
  for (const side of ["source", "target"] as const) {
    for (const retryMs of [0, 1000]) {
      const given = sides(35);
      given[side].loses = (name, number) => number >= 6 || (number > 3 && name !== "identity");
      const begin = given.clock.ms;
      const { end, reason, counts } = await copy(given, { retryMs });
      assertEquals([end, reason], ["failed", `${side} is gone`]);
      assert(counts.copied < 35);
      const tookMs = given.clock.ms - begin;
      assert(tookMs >= retryMs && tookMs <= 2 * retryMs, `${tookMs} of ${retryMs} ms`);
    }
    const absent = sides(3);
    absent[side].loses = () => true;
    assertEquals((await copy(absent)).end, "failed");
    assertEquals(absent.clock.ms, new FakeClock().ms, "an absent side is not waited for");
  }
  assertEquals(copyDefaults.retryMs, 10_000);
});

Deno.test("copy: an entry that makes the target close the connection is refused alone", async () => {
  const given = sides(35);
  given.target.fatal.add("key:12");
  const { end, counts } = await copy(given);
  assertEquals(end, "done");
  assertEquals(counts.copied, 34);
  assertEquals(counts.refused, {
    "the target closes the connection": { count: 1, keys: ['"key:12"'] },
  });
  assert(!given.target.entries.has("key:12"));
  const writes = given.target.calls.filter((name) => name === "write").length;
  // Four pages: three of one write, one of two that fail and then of each entry alone.
  assertEquals(writes, 3 + 2 + 9 + lossesPerEntryMax);
});

Deno.test("copy: cut after any call, it goes on from what it saved and misses nothing", async () => {
  const whole = sides(45);
  await copy(whole);
  for (let cut = 1; cut < whole.source.calls.length; cut++) {
    const given = sides(45);
    let saved: CopyState | undefined;
    const save = (state: CopyState) => {
      saved = structuredClone(state);
      return Promise.resolve();
    };
    given.source.loses = (_, number) => number >= cut;
    const first = await copy(given, { save, retryMs: 0 });
    assertEquals(first.end, "failed");
    given.source.loses = () => false;
    const seenBefore = saved?.counts.seen ?? 0;
    assert(seenBefore <= first.counts.seen);
    const called = given.source.calls.length;
    const second = await copy(given, { save, resume: saved });
    assertEquals(second.end, "done");
    assertEquals(Object.fromEntries(given.target.entries), expected(given.source), `cut ${cut}`);
    assertEquals([second.counts.seen, second.counts.copied], [45, 45], `cut ${cut}`);
    const pages = given.source.calls.slice(called).filter((name) => name === "scan").length;
    assertEquals(pages, 5 - seenBefore / 10, "what was saved is not listed again");
  }
});

Deno.test("copy: a signal ends it after the batch under way, and it can go on", async () => {
  const given = sides(45);
  const controller = new AbortController();
  let saved: CopyState | undefined;
  const options = {
    save: (state: CopyState) => {
      saved = state;
      return Promise.resolve();
    },
  };
  given.source.beforeRead = () => {
    if (given.target.entries.size === 20) controller.abort();
  };
  const first = await copy(given, { ...options, signal: controller.signal });
  assertEquals([first.end, first.counts.copied], ["interrupted", 30]);
  assertEquals(given.target.entries.size, 30);
  const second = await copy(given, { ...options, resume: saved });
  assertEquals([second.end, second.counts.copied, second.counts.seen], ["done", 45, 45]);

  const waiting = sides(45);
  waiting.source.loses = (_, number) => number > 5;
  const stopped = new AbortController();
  waiting.clock.pause = () => {
    stopped.abort();
    return Promise.resolve();
  };
  const result = await copy(waiting, { signal: stopped.signal });
  assertEquals([result.end, result.reason], ["interrupted", undefined]);
});

Deno.test("copy: a source that was started again is listed from its beginning", async () => {
  const given = sides(45);
  let restarts = 0;
  const onRestart = () => restarts++;
  given.source.loses = (name, number) => {
    const isLost = name === "read" && number > 6 && given.source.run === "source";
    if (isLost) given.source.run = "another";
    return isLost;
  };
  const result = await copy(given, { onRestart });
  assertEquals([result.end, result.counts.copied, restarts], ["done", 45, 1]);
  assertEquals(Object.fromEntries(given.target.entries), expected(given.source));

  // The same between two runs of the copy.
  const later = sides(45);
  const resume = {
    sourceIdentity: "earlier",
    targetIdentity: "target",
    cursor: "20",
    counts: { ...noCounts, seen: 20 },
  };
  const again = await copy(later, { resume, onRestart });
  assertEquals([again.end, again.counts.copied, restarts], ["done", 45, 2]);
  assertEquals(again.counts.seen, 45);
});

Deno.test("copy: a target that was started again, and may have lost entries, gets all of them", async () => {
  const given = sides(45);
  const restarts: string[] = [];
  const onRestart = (side: string) => restarts.push(side);
  given.target.loses = (name, number) => {
    const isLost = name === "write" && number > 3 && given.target.run === "target";
    if (isLost) {
      given.target.run = "another";
      given.target.entries.clear();
    }
    return isLost;
  };
  const result = await copy(given, { onRestart });
  assertEquals([result.end, result.counts.copied], ["done", 45]);
  assertEquals(Object.fromEntries(given.target.entries), expected(given.source));

  const later = sides(45);
  const resume = {
    sourceIdentity: "source",
    targetIdentity: "earlier",
    cursor: "20",
    counts: { ...noCounts, seen: 20 },
  };
  assertEquals((await copy(later, { resume, onRestart })).counts.copied, 45);
  assertEquals(restarts, ["target", "target"]);
});

Deno.test("copy: a source that is started again and again ends it", async () => {
  const given = sides(45);
  let run = 0;
  given.source.loses = (name) => {
    if (name === "read") given.source.run = `run ${++run}`;
    return name === "read";
  };
  const { end, reason } = await copy(given);
  assertEquals(end, "failed");
  assertEquals(reason, `The source was started again, ${restartsMax + 1} times meanwhile`);
});

Deno.test("copy: progress counts up to what the source had", async () => {
  const given = sides(45);
  const seen: number[] = [];
  await copy(given, {
    onProgress: ({ counts, size }) => {
      assertEquals(size, 45);
      seen.push(counts.seen);
    },
  });
  assertEquals(seen, seen.toSorted((a, b) => a - b));
  assertEquals(seen.at(-1), 45);
});

Deno.test("copy: the counts are bounded, whatever a server says", () => {
  const tally = new Tally();
  const key = new TextEncoder().encode("k");
  for (let number = 0; number < 200; number++) {
    tally.add(key, { kind: "other", type: `type ${number}` });
    tally.add(key, { kind: "refused", reason: `reason ${number}` });
    tally.add(key, { kind: "refused", reason: "reason 0" });
  }
  const { seen, others, refused } = tally.counts();
  assertEquals(seen, 600);
  assertEquals(Object.keys(others).length, typesMax + 1);
  assertEquals(others.unknown, 200 - typesMax);
  assertEquals(Object.keys(refused).length, reasonsMax + 1);
  assertEquals(refused["reason 0"].count, 201);
  assertEquals(refused["reason 0"].keys.length, namedKeysMax);
  assertEquals(refused["other reasons"].count, 200 - reasonsMax);
  assertEquals(new Tally(tally.counts()).counts(), tally.counts());
});

Deno.test("copy: a key is shown without what would control a terminal", () => {
  const shown = (...bytes: number[]) => showKey(new Uint8Array(bytes));
  assertEquals(shown(0x61, 0x22, 0x0a, 0x1b), String.raw`"a\"\n\u001b"`);
  assertEquals(shown(0xc2, 0x9b, 0x7f), String.raw`"\u009b\u007f"`);
  assertEquals(shown(0xff), '"\ufffd"');
  const long = showKey(new TextEncoder().encode("x".repeat(100_000)));
  assertEquals(long, `"${"x".repeat(100)}"…`);
});
