/**
 * The ring of changes: nothing is lost, doubled or torn, however often it is passed around.
 *
 * @module
 */

import { ChangeRing } from "../journal/change_ring.ts";
import { Changes } from "../journal/changes.ts";
import { JournalState, phases, ringBytes } from "../journal/journal_state.ts";
import { kinds } from "../journal/record.ts";
import { Random } from "../loadgen/mod.ts";
import { assert, assertEquals, assertThrows } from "./assert.ts";

const key = new TextEncoder().encode("key");
const value = new Uint8Array(300 * 1024);

/** Appends a change whose expiry is its number. */
function append(ring: ChangeRing, bytes: number, number: number): number {
  value[0] = number;
  return ring.append(kinds.put, key, 0, key.length, value, 0, bytes, number);
}

Deno.test("changes come out of the ring in their order and whole, through many rounds", () => {
  const state = new JournalState();
  const producer = new ChangeRing(state);
  const consumer = new ChangeRing(new JournalState(state.buffer));
  const random = new Random(1);
  const lengths: number[] = [];
  let appended = 0;
  let taken = 0;
  let bytes = 0;
  while (bytes < 10 * ringBytes) {
    while (producer.usedBytes < ringBytes - 600 * 1024 && random.next() % 200 !== 0) {
      const length = random.next() % (random.next() % 20 === 0 ? 256 * 1024 : 500);
      append(producer, length, ++appended);
      lengths.push(length);
      bytes += length;
    }
    const changes = new Changes(consumer.take(1024 * 1024));
    for (const at of changes.offsets) {
      taken++;
      const length = lengths.shift();
      assertEquals(changes.views.expiresAtAt(at), taken);
      assertEquals(changes.views.valueAt(at), length);
      if (length! > 0) assertEquals(changes.views.valueBytesAt(at)[0], taken & 255);
      assertEquals(new TextDecoder().decode(changes.views.keyAt(at)), "key");
    }
  }
  while (taken < appended) taken += new Changes(consumer.take(1024 * 1024)).offsets.length;
  assertEquals([taken, consumer.usedBytes, consumer.take(1).length], [appended, 0, 0]);
});

Deno.test("positions go on beyond 32 bits", () => {
  const state = new JournalState();
  const near = 2 ** 31 - 1000;
  while (!state.moveTail(0, near));
  state.taken = near;
  state.committed = near;
  const ring = new ChangeRing(state);
  let last = 0;
  for (let n = 0; n < 100; n++) last = append(ring, 1000, n);
  assert(last < 0, "the position has wrapped around");
  assert(ring.usedBytes >= 100 * 1032, `${ring.usedBytes} bytes`);
  assertEquals(new Changes(ring.take(1024 * 1024)).offsets.length, 100);
  assertEquals(state.taken, last);
});

Deno.test("a full ring whose writer has ended is an error, not a wait for ever", () => {
  const state = new JournalState();
  const ring = new ChangeRing(state);
  state.phase = phases.broken;
  assertThrows(
    () => {
      for (let n = 0; n < 100; n++) append(ring, 200 * 1024, n);
    },
    Error,
    "writer has ended",
  );
});

Deno.test("only the last failures count, each between its two positions", () => {
  const state = new JournalState();
  state.failed(10, 20);
  state.failed(2 ** 31 - 5, -(2 ** 31) + 5);
  assertEquals([10, 11, 20, 21].map((at) => state.hasFailed(at)), [false, true, true, false]);
  assertEquals([2 ** 31 - 1, -(2 ** 31), -(2 ** 31) + 6].map((at) => state.hasFailed(at)), [
    true,
    true,
    false,
  ]);
});
