/**
 * The codec and the commands in the process: from the bytes of requests to the bytes of replies,
 * without a connection.
 *
 * @module
 */

import { commandTable, Context, type SessionControl } from "../commands/mod.ts";
import { encodeBase64Into, findLineFeed, Request } from "../protocol.ts";
import { Store } from "../store.ts";
import { blink, Random, RequestWriter, type Verb, verbs } from "../loadgen/mod.ts";

const requests = 1000;
const keys = 10_000;

/** A piece of input: many requests of one verb. */
function input(verb: Verb, valueBytes: number): Uint8Array {
  const writer = new RequestWriter(blink, valueBytes);
  const bytes = new Uint8Array(requests * writer.bytesMax([verb]));
  const random = new Random(1);
  let end = 0;
  for (let count = 0; count < requests; count++) {
    end = writer.write(verbs.indexOf(verb), random.below(keys), bytes, end);
  }
  return bytes.subarray(0, end);
}

const line = new TextEncoder().encode("SET key:000000001234 abcdefghijklmnopqrstuvwxyz");
const request = new Request();
Deno.bench("parse a SET, 1,000 times", () => {
  for (let count = 0; count < requests; count++) commandTable.parse(line, 0, line.length, request);
});

/** A session that is logged in and may hold any reply. */
const session: SessionControl = {
  isAuthenticated: true,
  id: 1,
  redis: undefined,
  close() {},
  authenticationFailed() {},
  tryHold: () => true,
  whenFree: () => () => {},
};

for (const valueBytes of [64, 1024]) {
  const store = new Store({ limitBytes: 64 * 1024 * 1024 });
  const context = new Context({ store, version: "bench", verbs: commandTable.verbs });
  const run = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) {
      const end = findLineFeed(bytes, at, bytes.length);
      commandTable.parse(bytes, at, end, context.request);
      commandTable.execute(context, context.request, bytes, session);
      at = end + 1;
    }
    context.output.clear();
  };
  const sets = input("set", valueBytes);
  const gets = input("get", valueBytes);
  run(sets);
  Deno.bench(`1,000 SETs of ${valueBytes} bytes, from line to reply`, () => run(sets));
  Deno.bench(`1,000 GETs of ${valueBytes} bytes, from line to reply`, () => run(gets));
}

for (const valueBytes of [16, 64, 256, 1024, 16 * 1024, 192 * 1024]) {
  const value = new Uint8Array(valueBytes).fill(97);
  const target = new DataView(new ArrayBuffer(valueBytes * 2));
  Deno.bench(`base64 of ${valueBytes} bytes`, () => {
    encodeBase64Into(value, 0, valueBytes, target, 0);
  });
}
