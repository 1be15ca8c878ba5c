/**
 * Who is served when: rounds, the bell, and the memory that connections hold.
 *
 * @module
 */

import { Bell } from "../server/bell.ts";
import { BufferPool, pooledBytesMax } from "../server/buffers.ts";
import { fairConnections, roundBytes, roundReads, roundRequests, Turns } from "../server/turns.ts";
import { ReadBuffer, readBytesBusyMax, readBytesMin } from "../engine/read_buffer.ts";
import { assert, assertEquals } from "./assert.ts";
import { within } from "./raw_client.ts";

/** A bell that a test rings by hand. */
class TestBell {
  readonly #strokes: (() => void)[] = [];

  ring(): Promise<void> {
    return new Promise((resolve) => this.#strokes.push(resolve));
  }

  /** Lets the runtime have looked at the sockets; waits until everybody has heard. */
  async strike(): Promise<void> {
    this.#strokes.shift()?.();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }

  get isAwaited(): boolean {
    return this.#strokes.length > 0;
  }
}

Deno.test("turns: with few connections only requests and bytes end a round", () => {
  const turns = new Turns({ size: fairConnections }, new TestBell());
  for (let read = 0; read < 10 * roundReads; read++) turns.countRead(100);
  assert(!turns.isOver);
  turns.countWork(roundRequests - 1, roundBytes - 1000 * roundReads - 1);
  assert(!turns.isOver);
  turns.countWork(0, 1);
  assert(turns.isOver);
  const others = new Turns({ size: 1 }, new TestBell());
  others.countWork(roundRequests - 1, 0);
  assert(!others.isOver);
  others.countWork(1, 0);
  assert(others.isOver);
});

Deno.test("turns: with many connections a round ends once hardly anybody is left", async () => {
  const bell = new TestBell();
  const turns = new Turns({ size: fairConnections + 1 }, bell);
  for (let read = 0; read < roundReads - 1; read++) turns.countRead(1);
  assert(!turns.isOver);
  turns.countRead(1);
  assert(turns.isOver);
  let released = 0;
  const held = [turns.next(), turns.next()].map((next) => next.then(() => released++));
  // The look brings a full share of others: they were waiting, so it looks once more.
  for (let read = 0; read < roundReads; read++) turns.countRead(1);
  await bell.strike();
  assertEquals(released, 0);
  assert(turns.isOver && bell.isAwaited);
  for (let read = 0; read < roundReads - 1; read++) turns.countRead(1);
  await bell.strike();
  await Promise.all(held);
  assertEquals(released, 2);
  assert(!turns.isOver && !bell.isAwaited);
});

Deno.test("turns: without a bell a timer does", async () => {
  const turns = new Turns({ size: 1000 });
  for (let read = 0; read < roundReads; read++) turns.countRead(1);
  await within(turns.next(), "the next round");
  assert(!turns.isOver);
});

Deno.test("bell: is heard each time, and a bell that was taken down holds nobody up", async () => {
  const bell = await Bell.hang();
  assert(bell !== undefined);
  for (let stroke = 0; stroke < 100; stroke++) await within(bell.ring(), "the bell");
  bell.close();
  bell.close();
  await within(bell.ring(), "the timer");
});

Deno.test("buffers: are of powers of two, used again, and kept up to a bound", () => {
  const pool = new BufferPool();
  assertEquals([1, 512, 513, 4096, 4097].map((bytes) => pool.take(bytes).length), [
    512,
    512,
    1024,
    4096,
    8192,
  ]);
  const buffer = pool.take(4000);
  pool.give(buffer);
  assert(pool.take(4096) === buffer);
  // Larger ones than a mebibyte are not kept, nor others beyond the bound of all.
  const large = pool.take(3 << 20);
  assertEquals(large.length, 3 << 20);
  pool.give(large);
  assert(pool.take(3 << 20) !== large);
  const many = Array.from({ length: pooledBytesMax / (1 << 20) + 1 }, () => pool.take(1 << 20));
  for (const one of many) pool.give(one);
  const again = many.map(() => pool.take(1 << 20));
  assertEquals(many.filter((one) => again.includes(one)).length, many.length - 1);
});

/** Lets reads of so many bytes happen; consumes them all. Returns the rooms that they had. */
function read(buffer: ReadBuffer, ...sizes: number[]): number[] {
  return sizes.map((size) => {
    const room = buffer.room().length;
    buffer.filled(Math.min(size, room));
    buffer.start = buffer.end;
    return room;
  });
}

Deno.test("read buffer: grows while reads fill it, and shrinks when they are short", () => {
  const buffer = new ReadBuffer(new BufferPool(), 1 << 24);
  assertEquals(buffer.bytes.length, readBytesMin);
  assertEquals(read(buffer, 10, 10, 10), [512, 512, 512]);
  const full = Infinity;
  assertEquals(
    read(buffer, full, full, full, full, full, full, full, full, full),
    [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 65_536],
  );
  assertEquals(buffer.bytes.length, readBytesBusyMax);
  // A short read may be the last for long, so what waits for the next one is less at once.
  assertEquals(read(buffer, 10, 10, 10, 10, 10, 10), [65_536, 16_384, 8192, 4096, 2048, 1024]);
  assertEquals(read(buffer, 10, 10), [512, 512]);
});

Deno.test("read buffer: what comes at once again and again soon takes one read", () => {
  const buffer = new ReadBuffer(new BufferPool(), 1 << 24);
  // Lines of 100 bytes, so that most reads end in the midst of one, eleven at a time.
  const readsOf = (bytes: number) => {
    let reads = 0;
    for (let left = bytes; left > 0; reads++) {
      const read = Math.min(left, buffer.room().length);
      left -= read;
      buffer.filled(read);
      buffer.start = left === 0 ? buffer.end : buffer.end - (bytes - left) % 100;
    }
    return reads;
  };
  assertEquals([1100, 1100, 1100, 1100].map(readsOf), [2, 2, 1, 1]);
  assertEquals(buffer.bytes.length, 2048);
});

Deno.test("buffers: the smallest share memory and no bytes", () => {
  const pool = new BufferPool();
  const buffers = Array.from({ length: 200 }, () => pool.take(1));
  buffers.forEach((buffer, at) => buffer.fill(at));
  buffers.forEach((buffer, at) => assert(buffer.every((byte) => byte === at)));
  assert(new Set(buffers.map((buffer) => buffer.buffer)).size < 10);
});

Deno.test("read buffer: holds an unfinished line of the longest length, and gives it back", () => {
  const longest = 300_000;
  const buffer = new ReadBuffer(new BufferPool(), longest);
  const bytes = Uint8Array.from({ length: longest + 1 }, (_, at) => at % 251);
  for (let from = 0; from < bytes.length;) {
    const room = buffer.room();
    assert(room.length > 0, `no room after ${from} bytes`);
    const part = bytes.subarray(from, from + room.length);
    room.set(part);
    buffer.filled(part.length);
    from += part.length;
  }
  assertEquals(buffer.bytes.slice(buffer.start, buffer.end), bytes);
  assert(buffer.bytes.length < 2 * longest);
  buffer.start = buffer.end;
  buffer.room();
  assert(buffer.bytes.length <= readBytesBusyMax);
  buffer.release();
  assertEquals(buffer.bytes.length, 0);
});

Deno.test("read buffer: what is unfinished moves to the front", () => {
  const buffer = new ReadBuffer(new BufferPool(), 1 << 24);
  buffer.room().fill(7, 400);
  buffer.filled(500);
  buffer.start = 400;
  const room = buffer.room();
  assertEquals([buffer.start, buffer.end, room.length], [0, 100, 412]);
  assertEquals(buffer.bytes.slice(0, 100), new Uint8Array(100).fill(7));
  // After a read that took all its room it moves to a larger buffer.
  buffer.filled(412);
  assertEquals(buffer.room().length, 512);
  assertEquals(buffer.bytes.slice(0, 100), new Uint8Array(100).fill(7));
});
