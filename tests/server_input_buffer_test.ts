/**
 * The memory that connections read into: the pool of buffers, and the lines in them.
 *
 * @module
 */

import type { Buffers } from "../protocol.ts";
import { BufferPool, idleBytesMax } from "../server/buffer_pool.ts";
import { chunkBytes, InputBuffer, inputBytesMin } from "../server/input_buffer.ts";
import { assert, assertEquals } from "./assert.ts";
import { bytesOf } from "./raw_client.ts";

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
  // Buffers larger than 32 MiB are not kept, nor others beyond the bound of all.
  const large = pool.take((32 << 20) + 1);
  assertEquals(large.length, (32 << 20) + 1);
  pool.give(large);
  assert(pool.take((32 << 20) + 1) !== large);
  const many = Array.from({ length: idleBytesMax / (1 << 20) + 1 }, () => pool.take(1 << 20));
  for (const one of many) pool.give(one);
  const again = many.map(() => pool.take(1 << 20));
  assertEquals(many.filter((one) => again.includes(one)).length, many.length - 1);
});

Deno.test("buffers: what nobody needs is let go of, a part with each tick", () => {
  const pool = new BufferPool(64 << 20);
  const many = Array.from({ length: 64 }, () => pool.take(1 << 20));
  for (const one of many) pool.give(one);
  assertEquals(pool.keptBytes, 64 << 20);
  pool.trim();
  assertEquals(pool.keptBytes, 64 << 20, "they were needed since the last tick");
  pool.trim();
  assertEquals(pool.keptBytes, 34 << 20);
  for (let tick = 0; tick < 10; tick++) pool.trim();
  assertEquals(pool.keptBytes, idleBytesMax);
});

/** Simulates reads of these sizes and consumes all bytes. Returns the space that each read had. */
function read(buffer: InputBuffer, ...sizes: number[]): number[] {
  return sizes.map((size) => {
    const space = buffer.space().length;
    buffer.filled(Math.min(size, space));
    buffer.start = buffer.end;
    return space;
  });
}

Deno.test("input buffer: grows while reads fill it, and shrinks when they are short", () => {
  const buffer = new InputBuffer(new BufferPool());
  assertEquals(buffer.bytes.length, 0, "nothing is held before the first read");
  assertEquals(read(buffer, 10, 10, 10), [inputBytesMin, 512, 512]);
  const full = Infinity;
  assertEquals(
    read(buffer, full, full, full, full, full, full),
    [512, 2048, 8192, 32_768, 65_536, 65_536],
  );
  assertEquals(buffer.bytes.length, chunkBytes);
  // A short read may be the last for long, so what waits for the next one is less at once.
  assertEquals(read(buffer, 10, 10, 10, 10, 10, 10), [65_536, 16_384, 8192, 4096, 2048, 1024]);
  assertEquals(read(buffer, 10, 10), [512, 512]);
});

Deno.test("input buffer: bursts of one size soon take one read each", () => {
  const buffer = new InputBuffer(new BufferPool());
  // Lines of 100 bytes, so that most reads end in the midst of one, eleven at a time.
  const readsOf = (bytes: number) => {
    let reads = 0;
    for (let left = bytes; left > 0; reads++) {
      const read = Math.min(left, buffer.space().length);
      left -= read;
      buffer.filled(read);
      buffer.start = left === 0 ? buffer.end : buffer.end - (bytes - left) % 100;
    }
    return reads;
  };
  assertEquals([1100, 1100, 1100, 1100].map(readsOf), [2, 1, 1, 1]);
  assertEquals(buffer.bytes.length, 2048);
});

Deno.test("buffers: the smallest share memory and no bytes", () => {
  const pool = new BufferPool();
  const buffers = Array.from({ length: 200 }, () => pool.take(1));
  buffers.forEach((buffer, at) => buffer.fill(at));
  buffers.forEach((buffer, at) => assert(buffer.every((byte) => byte === at)));
  assert(new Set(buffers.map((buffer) => buffer.buffer)).size < 10);
});

Deno.test("input buffer: holds an unfinished line in chunks, and joins it at its end", () => {
  const pool = new BufferPool();
  let taken = 0;
  const counted: Buffers = {
    take(bytesMin) {
      const buffer = pool.take(bytesMin);
      taken += buffer.length;
      return buffer;
    },
    give(buffer) {
      taken -= buffer.length;
      pool.give(buffer);
    },
  };
  for (const length of [chunkBytes - 1, chunkBytes, chunkBytes + 1, 300_000, 3_000_000]) {
    for (const before of [0, 100]) {
      const buffer = new InputBuffer(counted);
      const line = Uint8Array.from({ length }, (_, at) => 11 + at % 240);
      const bytes = new Uint8Array(before + length + 4);
      bytes.fill(0x0a, before - 1, before);
      bytes.set(line, before);
      bytes.set([0x0d, 0x0a, 0x50, 0x51], before + length);
      let lines = 0;
      for (let from = 0; from < bytes.length;) {
        const space = buffer.space();
        assert(space.length > 0, `no space after ${from} bytes`);
        const part = bytes.subarray(from, from + space.length);
        space.set(part);
        buffer.filled(part.length);
        from += part.length;
        const unfinished = buffer.unfinishedBytes;
        while (buffer.nextLine(1 << 24) === "line") lines++;
        // What an unfinished line holds is not much more than its bytes.
        if (lines === (before > 0 ? 1 : 0)) assert(taken <= 2 * chunkBytes + 1.25 * unfinished);
      }
      assertEquals(lines, before > 0 ? 2 : 1);
      const found = buffer.bytes.subarray(buffer.lineStart, buffer.lineEnd);
      assert(found.length === length && found.every((byte, at) => byte === line[at]));
      assertEquals(buffer.unfinishedBytes, 2);
      buffer.space();
      assert(buffer.bytes.length <= chunkBytes, `${buffer.bytes.length} bytes are held`);
      assertEquals(buffer.unfinishedBytes, 2);
      buffer.release();
      assertEquals([buffer.bytes.length, taken], [0, 0]);
    }
  }
});

Deno.test("input buffer: what is unfinished moves to the front", () => {
  const buffer = new InputBuffer(new BufferPool());
  buffer.space().fill(7, 400);
  buffer.filled(500);
  buffer.start = 400;
  const space = buffer.space();
  assertEquals([buffer.start, buffer.end, space.length], [0, 100, 412]);
  assertEquals(buffer.bytes.slice(0, 100), new Uint8Array(100).fill(7));
  // After a read that took all its room it moves to a larger buffer.
  buffer.filled(412);
  assertEquals(buffer.space().length, 2048 - 512);
  assertEquals(buffer.bytes.slice(0, 100), new Uint8Array(100).fill(7));
});

Deno.test("input buffer: what is lent is given back, and what is unfinished is kept", () => {
  const pool = new BufferPool();
  const lent = new Uint8Array(chunkBytes);
  const buffers: Buffers = {
    take: (bytesMin) => pool.take(bytesMin),
    give(buffer) {
      assert(buffer !== lent, "what is lent must not get into the pool");
      pool.give(buffer);
    },
  };
  const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => at % 100 === 99 ? 0x0a : 65);
  for (const part of [1, 99, 100, 101, 5000, chunkBytes]) {
    const buffer = new InputBuffer(buffers);
    let lines = 0;
    for (let from = 0; from < bytes.length;) {
      const space = buffer.lentSpace(lent);
      const read = Math.min(part, space.length, bytes.length - from);
      space.set(bytes.subarray(from, from + read));
      buffer.filled(read);
      from += read;
      while (buffer.nextLine(1 << 20) === "line") {
        lines++;
        assertEquals(buffer.lineEnd - buffer.lineStart, 99);
        assert(
          buffer.bytes.subarray(buffer.lineStart, buffer.lineEnd).every((byte) => byte === 65),
        );
      }
      buffer.settle(false);
      lent.fill(0);
      assertEquals(lines, Math.floor(from / 100));
      assertEquals(buffer.unfinishedBytes, from % 100);
      if (from % 100 === 0) assertEquals(buffer.bytes.length, 0, "nothing is held");
    }
    buffer.release();
    assert(buffer.bytes !== lent);
  }
});

Deno.test("input buffer: a line that an operation reads keeps its place", () => {
  const buffer = new InputBuffer(new BufferPool());
  const space = buffer.lentSpace(new Uint8Array(chunkBytes));
  space.set(bytesOf("PING\nSET a 1\nGET"));
  buffer.filled(16);
  assertEquals([buffer.nextLine(99), buffer.nextLine(99)], ["line", "line"]);
  const { lineStart, lineEnd } = buffer;
  buffer.settle(true);
  space.fill(0);
  assertEquals(buffer.bytes.slice(lineStart, lineEnd), bytesOf("SET a 1"));
  assertEquals(buffer.unfinishedBytes, 3);
  // Asked for space while it is lent, it gives that back by itself.
  buffer.start = buffer.end;
  const again = buffer.lentSpace(space);
  again.set(bytesOf("PI"));
  buffer.filled(2);
  assert(buffer.space().buffer !== space.buffer);
  assertEquals(buffer.bytes.slice(0, 2), bytesOf("PI"));
});
