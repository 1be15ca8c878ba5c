/**
 * The client's connection: what happens to calls when the server is slow, lost, silent or talks
 * nonsense. Against a scripted server, so that each failure happens exactly when it should.
 *
 * @module
 */

import { BlinkError, connect } from "../client.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { type Peer, scriptedServer } from "./client_scripted.ts";

/** Answers each line by a function, until QUIT or the end. */
async function answerEach(peer: Peer, answer: (line: string) => string): Promise<void> {
  for (let line = await peer.line(); line !== undefined; line = await peer.line()) {
    if (line === "QUIT") return;
    await peer.send(answer(line) + "\n");
  }
}

Deno.test("calls made in one turn leave together and each gets its own reply", async () => {
  await using server = scriptedServer((peer) =>
    answerEach(peer, (line) => `VALUE ${btoa(line.slice(4))}`)
  );
  await using store = await connect({ port: server.port });
  const keys = Array.from({ length: 5_000 }, (_, at) => `key${at}`);
  assertEquals(await Promise.all(keys.map((key) => store.get(key))), keys);
  assertEquals(server.connections, 1);
});

Deno.test("a lost connection rejects what is in flight and the next call connects again", async () => {
  await using server = scriptedServer(async (peer) => {
    if (peer.number > 1) return await answerEach(peer, () => "NOT_FOUND");
    await peer.line();
    await peer.send("VALUE YQ==\n");
    await peer.line();
  });
  await using store = await connect({ port: server.port });
  const first = store.get("one");
  const second = assertRejects(() => store.get("two"), BlinkError);
  assertEquals(await first, "a");
  const error = await second;
  assertEquals([error.kind, error.mayHaveRun], ["connection", true]);
  assertStringIncludes(error.message, `127.0.0.1:${server.port}`);
  assertStringIncludes(error.message, "the outcome of the 1 command in flight is unknown");
  assertEquals(await store.get("three"), undefined);
  assertEquals(server.connections, 2);
});

Deno.test("half a reply is not a reply", async () => {
  await using server = scriptedServer(async (peer) => {
    await peer.line();
    await peer.send("VALUE YWFh\nVALUE YWFh");
  });
  await using store = await connect({ port: server.port });
  const [whole, half] = await Promise.allSettled([store.get("whole"), store.get("half")]);
  assert(whole.status === "fulfilled" && whole.value === "aaa");
  assert(half.status === "rejected");
  assertStringIncludes(half.reason.message, "in the middle of a reply");
});
