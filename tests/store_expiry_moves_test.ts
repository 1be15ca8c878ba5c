/**
 * Setting an expiry moves an entry, whose header grows; compaction moves others. Neither may lose one
 * of them.
 *
 * @module
 */

import { Random } from "../loadgen/mod.ts";
import { Store } from "../store.ts";
import { assert, assertEquals } from "./assert.ts";

const encoder = new TextEncoder();

Deno.test("expiries that are set while compaction is under way lose no entry", () => {
  const store = new Store({ limitBytes: 64 * 1024 * 1024, now: () => 0 });
  const random = new Random(1);
  const model = new Map<string, number>();
  const value = new Uint8Array(1_000_000);
  for (let step = 0; step < 100_000; step++) {
    const key = `key${random.next() % 400}`;
    const bytes = encoder.encode(key);
    const kind = random.next() % 8;
    if (kind === 0) {
      assertEquals(store.delete(bytes, 0, bytes.length), model.delete(key));
    } else if (kind < 4) {
      assertEquals(store.expire(bytes, 0, bytes.length, 1000), model.has(key));
    } else {
      const size = random.next() % 200;
      const length = random.next() % (size === 0 ? 1_000_000 : size < 100 ? 6_000 : 60);
      assertEquals(store.putNow(bytes, 0, bytes.length, value, 0, length, Infinity), "stored");
      model.set(key, length);
    }
    if (step % 500 === 0) store.verify();
  }
  store.verify();
  const { moved } = store.stats;
  assert(moved > 100, `compaction has moved ${moved} records`);
  for (const [key, length] of model) {
    const bytes = encoder.encode(key);
    assertEquals(store.lengthOf(store.find(bytes, 0, bytes.length)), length);
  }
});
