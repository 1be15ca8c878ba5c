/** The wire protocols of the load generator: what is sent, and how replies are counted. */

import {
  blink,
  memcached,
  redis,
  type Replies,
  RequestWriter,
  respArray,
  verbs,
} from "../loadgen/dialects.ts";
import { assert, assertEquals, assertThrows } from "./assert.ts";

const utf8 = new TextEncoder();

const wires = [
  {
    dialect: blink,
    replies: "OK\nVALUE YWJj\nNOT_FOUND\nERROR unknown command\nINT 12\nPONG\nVALUE \n",
    count: 7,
    hits: 2,
    misses: 1,
    errors: 1,
  },
  {
    dialect: redis,
    replies: "+OK\r\n$3\r\n\n\r\n\r\n$-1\r\n-ERR no\r\n:12\r\n+PONG\r\n$0\r\n\r\n",
    count: 7,
    hits: 2,
    misses: 1,
    errors: 1,
  },
  {
    dialect: memcached,
    replies: "STORED\r\nVALUE key:1 0 5\r\nEND\r\n\r\nEND\r\nEND\r\nERROR\r\nNOT_FOUND\r\nMN\r\n" +
      "SERVER_ERROR out\r\n",
    count: 7,
    hits: 1,
    misses: 2,
    errors: 2,
  },
];

for (const { dialect, replies: text, count, ...expected } of wires) {
  Deno.test(`the replies of ${dialect.name} are counted wherever a read cuts them`, () => {
    const bytes = utf8.encode(text);
    for (let step = 1; step <= bytes.length; step++) {
      const replies: Replies = { hits: 0, misses: 0, errors: 0 };
      const scanner = dialect.scanner(replies);
      let counted = 0;
      for (let at = 0; at < bytes.length; at += step) {
        const part = bytes.subarray(at, at + step);
        counted += scanner.scan(part, part.length);
      }
      assertEquals(counted, count, `cut every ${step} bytes`);
      const { hits, misses, errors } = replies;
      assertEquals({ hits, misses, errors }, expected, `cut every ${step} bytes`);
    }
  });
}

Deno.test("a request has the key's digits in its place", () => {
  const writer = new RequestWriter(blink, 3);
  const target = new Uint8Array(200);
  let end = writer.write(verbs.indexOf("set"), 1203, target, 0);
  end = writer.write(verbs.indexOf("get"), 0, target, end);
  end = writer.write(verbs.indexOf("incr"), 999_999_999_999, target, end);
  end = writer.write(verbs.indexOf("ping"), 7, target, end);
  assertEquals(
    new TextDecoder().decode(target.subarray(0, end)),
    "SET key:000000001203 abc\nGET key:000000000000\nINCR cnt:999999999999\nPING\n",
  );
});

Deno.test("a request of Redis is an array of bulk strings, as its clients send it", () => {
  const target = new Uint8Array(200);
  const end = new RequestWriter(redis, 5).write(verbs.indexOf("set"), 12, target, 0);
  assertEquals(
    new TextDecoder().decode(target.subarray(0, end)),
    "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000012\r\n$5\r\nabcde\r\n",
  );
});

Deno.test("a write of a verb that the protocol lacks is an error", () => {
  for (const dialect of [blink, redis, memcached]) {
    const write = () =>
      new RequestWriter(dialect, 5).write(verbs.indexOf("incr"), 1, new Uint8Array(200), 0);
    if (dialect === memcached) assertThrows(write, Error, "Cannot write incr");
    else assert(write() > 0, dialect.name);
  }
});

Deno.test("a request of Redis other than a load's is an array too", () => {
  assertEquals(respArray(["INFO", "memory"]), "*2\r\n$4\r\nINFO\r\n$6\r\nmemory\r\n");
});
