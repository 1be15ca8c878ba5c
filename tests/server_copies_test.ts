/**
 * Large replies of several clients: once enough was copied, the next ones wait until the sockets
 * were polled. The loops here have no ticks, so a reply that waits for one never comes.
 *
 * @module
 */

import { chooseLoop, type LoopChoice } from "../server/choose_loop.ts";
import { copiedBytesMax } from "../server/context.ts";
import { loadLibc } from "../server/libc.ts";
import { assert, assertEquals } from "./assert.ts";
import { bytesOf, RawClient } from "./raw_client.ts";
import { array, joined, words } from "./redis_array.ts";
import { ManualServer } from "./server_manual.ts";

const value = new Uint8Array(copiedBytesMax / 2 + 1).fill(0x76);
const gets = 4;

// Loaded here, since it stays loaded when a test ends.
const hasEpoll = loadLibc() !== undefined;

const loops: readonly LoopChoice[] = [
  { io: "portable", ownsThread: false, threads: 1 },
  { io: "epoll", ownsThread: false, threads: 1 },
  { io: "epoll", ownsThread: true, threads: 1 },
];

for (const choice of loops) {
  const { io, ownsThread } = choice;
  const name = `copies: ${io}${ownsThread ? " in a thread of its own" : ""}`;
  // They waited for the next tick, a tenth of a second each time.
  Deno.test({
    name: `${name}: replies that wait for a poll go on without a tick`,
    ignore: io === "epoll" && !hasEpoll,
    async fn() {
      const server = new ManualServer({ limitBytes: 64 << 20 });
      assertEquals(server.connect().ask(array("SET", "k", value)), "+OK\r\n");
      const { loop } = await chooseLoop(choice);
      loop.listenTcp({ hostname: "127.0.0.1", port: 0 });
      loop.start(server.context);
      let waits = 0;
      const { onPollWanted } = server.context;
      server.context.onPollWanted = () => {
        waits++;
        onPollWanted?.();
      };
      // As if a client that takes nothing had got a large value: its sending makes nobody poll.
      server.context.tryHold(copiedBytesMax, 0);
      const [address] = loop.addresses;
      const ask = async (input: Uint8Array) => {
        using client = await RawClient.to(address);
        await client.send(input);
        return (await client.restBytes()).length;
      };
      const text = Math.ceil(value.length / 3) * 4;
      const lengths = await Promise.all([
        ask(joined(...Array.from({ length: gets }, () => words("GET k")), words("QUIT"))),
        ask(joined(...Array.from({ length: gets }, () => words("GET k")), words("QUIT"))),
        ask(bytesOf("GET k\n".repeat(gets) + "QUIT\n")),
      ]);
      const redis = gets * (`$${value.length}\r\n\r\n`.length + value.length) + "+OK\r\n".length;
      assertEquals(lengths, [redis, redis, gets * (text + "VALUE \n".length)]);
      assert(waits > 0, "nothing has waited");
      loop.stopAccepting();
      server.context.isDraining = true;
      await loop.drain();
      await loop.close();
    },
  });
}

// The memory of the first reply was given back by the run in which the second one began to wait for
// a poll. So the connection woke itself before it had noted that it waits, and hung for ever.
for (const sharesOutput of [false, true]) {
  Deno.test(`copies: a run that wakes its own connection goes on, shared: ${sharesOutput}`, () => {
    const server = new ManualServer({ limitBytes: 64 << 20 });
    const other = server.connect();
    other.ask(array("SET", "k", value));
    for (const request of [words("GET k"), bytesOf("GET k\n")]) {
      const client = server.connect();
      const { connection } = client;
      connection.sharesOutput = sharesOutput;
      for (let n = 0; n < gets; n++) client.receive(request);
      let sentBytes = 0;
      let waits = 0;
      while (sentBytes < gets * value.length) {
        const want = connection.next();
        if (want === "send") {
          sentBytes += connection.unsentBytes;
          connection.sent(connection.unsentBytes);
        } else if (want === "wait") {
          assert(waits++ < 100, "it waits for ever");
          connection.settle();
          server.context.polled();
        } else assertEquals(want, "yield");
      }
      assert(waits > 0, "nothing has waited");
      client.close();
    }
  });
}
