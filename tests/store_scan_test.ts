/** Scanning and flushing by prefix, while the store changes under them. */

import { assert, assertEquals } from "./assert.ts";
import { TextStore } from "./store_bytes.ts";

/** Scans to the end, calling `between` after each part; returns how often each key was seen. */
function scanAll(
  store: TextStore,
  count: number,
  between: () => void = () => {},
  prefix?: string,
): Map<string, number> {
  const seen = new Map<string, number>();
  let cursor = 0;
  let parts = 0;
  do {
    assert(parts++ < 1_000_000, "the scan never ends");
    const part = store.scan(cursor, count, prefix);
    for (const key of part.keys) seen.set(key, (seen.get(key) ?? 0) + 1);
    cursor = part.next;
    assert(Number.isSafeInteger(cursor) && cursor >= 0 && cursor < 2 ** 33);
    between();
  } while (cursor !== 0);
  return seen;
}

Deno.test("scan: every key once while nothing changes, whatever the count", () => {
  for (const keys of [0, 1, 63, 64, 65, 1_000, 5_000]) {
    const store = new TextStore({ limitBytes: 2 ** 24 });
    for (let n = 0; n < keys; n++) store.put(`key${n}`, "value");
    for (const count of [1, 7, 1_000]) {
      const seen = scanAll(store, count);
      assertEquals([seen.size, Math.max(0, ...seen.values())], [keys, keys > 0 ? 1 : 0]);
    }
  }
});

Deno.test("scan: keys that stay are all seen while others come, go, move and are evicted", () => {
  const store = new TextStore({ limitBytes: 600_000 });
  for (let n = 0; n < 2_000; n++) store.put(`stay${n}`, 20);
  for (let round = 0; round < 3; round++) for (let n = 0; n < 2_000; n++) store.get(`stay${n}`);
  let other = 0;
  const seen = scanAll(store, 10, () => {
    for (let n = 0; n < 60; n++) store.put(`come${other++}`, 100);
    for (let n = 0; n < 20; n++) store.delete(`come${other - 40 + n}`);
    store.put(`stay${other % 2_000}`, 20 + other % 9);
    for (let n = 0; n < 200; n++) store.get(`stay${(other * 7 + n) % 2_000}`);
  });
  assert(store.store.stats.evictions > 1_000, "nothing was evicted meanwhile");
  let stayed = 0;
  for (let n = 0; n < 2_000; n++) {
    if (!store.has(`stay${n}`)) continue;
    stayed++;
    assert(seen.has(`stay${n}`), `stay${n} was missed`);
  }
  assert(stayed > 1_500, `${stayed} stayed`);
});

Deno.test("scan: the index may grow many times over between two parts", () => {
  const store = new TextStore({ limitBytes: 2 ** 30 });
  for (let n = 0; n < 100; n++) store.put(`stay${n}`, "value");
  let other = 0;
  const seen = scanAll(store, 3, () => {
    if (other < 50_000) { for (let n = 0; n < 5_000; n++) store.put(`come${other++}`, "value"); }
  });
  for (let n = 0; n < 100; n++) assert(seen.has(`stay${n}`), `stay${n} was missed`);
});

Deno.test("scan: with a prefix, and with work that is bounded when nothing has it", () => {
  const store = new TextStore({ limitBytes: 2 ** 24 });
  for (let n = 0; n < 30_000; n++) store.put(`${n % 3 === 0 ? "a" : "b"}:${n}`, "value");
  assertEquals(scanAll(store, 50, undefined, "a:").size, 10_000);
  let parts = 0;
  assertEquals(scanAll(store, 1, () => parts++, "none").size, 0);
  assert(parts > 30_000 / 1_100, "a part looked at too much");
});

Deno.test("scan: expired keys are passed over", () => {
  let now = 0;
  const store = new TextStore({ limitBytes: 2 ** 24, now: () => now });
  for (let n = 0; n < 100; n++) store.put(`key${n}`, "value", n < 40 ? 10 : Infinity);
  now = 10;
  assertEquals(scanAll(store, 10).size, 60);
});

Deno.test("flush: from its start on nobody sees a key with the prefix", () => {
  const store = new TextStore({ limitBytes: 2 ** 26 });
  const count = 30_000;
  for (let n = 0; n < count; n++) store.put(`${n % 2 === 0 ? "a" : "b"}:${n}`, "old");
  const prefix = new TextEncoder().encode("a:");
  const flush = store.store.startFlush(prefix);
  prefix.fill(0);
  assertEquals(store.get("a:2"), undefined);
  assertEquals(flush.step(), undefined, "this many are not removed in one part");
  for (let n = 0; n < count; n += 2) if (n % 6 === 0) assertEquals(store.get(`a:${n}`), undefined);
  assertEquals(scanAll(store, 100).size, count / 2);
  // What is written from now on stays, whether or not its place was passed.
  for (let n = 0; n < 600; n++) store.put(`a:${n * 2}`, "new");
  store.put("a:never", "new");
  store.store.verify();
  let removed: number | undefined;
  let parts = 1;
  while ((removed = flush.step()) === undefined) parts++;
  assert(parts > 3);
  assertEquals([removed, flush.step()], [count / 2, count / 2]);
  assertEquals(store.store.entries, count / 2 + 601);
  for (let n = 0; n < 600; n++) assertEquals(store.get(`a:${n * 2}`), "new");
  assertEquals([store.get("b:1"), store.get("a:never")], ["old", "new"]);
  assertEquals(store.flush("a:"), 601, "a second flush does not exempt what the first one did");
  store.store.verify();
});

Deno.test("flush: two wait for each other, first in, first out", () => {
  const store = new TextStore({ limitBytes: 2 ** 26 });
  for (let n = 0; n < 20_000; n++) store.put(`${n % 2 === 0 ? "a" : "b"}:${n}`, "old");
  const a = store.startFlush("a:");
  const b = store.startFlush("b:");
  assertEquals(store.get("b:1"), "old", "the second has not begun");
  let removed: number | undefined;
  // Steps of the second move the first one on.
  while ((removed = a.step()) === undefined) assertEquals(b.step(), undefined);
  while (b.step() === undefined);
  assertEquals([removed, b.step(), store.store.entries], [10_000, 10_000, 0]);
});

Deno.test("flush: one whose caller does not come back is finished by the sweep", () => {
  const store = new TextStore({ limitBytes: 2 ** 26, now: () => 0 });
  for (let n = 0; n < 30_000; n++) store.put(`a:${n}`, "old");
  store.startFlush("a:");
  const second = store.startFlush("c:");
  store.put("c:1", "old");
  for (let calls = 0; store.store.sweep(); calls++) assert(calls < 100);
  assertEquals([second.step(), store.store.entries], [1, 0]);
  store.put("a:1", "new");
  assertEquals(store.get("a:1"), "new");
});

Deno.test("flush: entries that have expired are not counted", () => {
  let now = 0;
  const store = new TextStore({ limitBytes: 2 ** 24, now: () => now });
  for (let n = 0; n < 3_000; n++) store.put(`a:${n}`, "value", n % 3 === 0 ? 10 : Infinity);
  now = 10;
  assertEquals([store.flush("a:"), store.store.stats.expirations], [2_000, 1_000]);
});

Deno.test("flush: everything while a flush by prefix is under way", () => {
  const store = new TextStore({ limitBytes: 2 ** 24 });
  for (let n = 0; n < 5_000; n++) store.put(`a:${n}`, "old");
  const flush = store.startFlush("a:");
  assertEquals(flush.step(), undefined);
  const left = store.store.entries;
  assertEquals(store.store.flushAll(), left);
  for (let n = 0; n < 5_000; n++) store.put(`a:${n}`, "new");
  store.store.verify();
  let removed: number | undefined;
  while ((removed = flush.step()) === undefined);
  assertEquals([removed, store.store.entries], [5_000 - left, 5_000]);
  store.store.verify();
});

Deno.test("flush: everything at once, and with a prefix that nothing has", () => {
  const store = new TextStore({ limitBytes: 2 ** 24 });
  for (let n = 0; n < 1_000; n++) store.put(`key${n}`, "value");
  assertEquals([store.flush("none"), store.flush("k".repeat(100_000))], [0, 0]);
  assertEquals(store.store.flushAll(), 1_000);
  assertEquals([store.has("key1"), scanAll(store, 10).size], [false, 0]);
});
