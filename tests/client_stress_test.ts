/**
 * Thousands of calls against a server that drops connections, answers in pieces and pauses, by a
 * seed: every call is settled once, and no call ever gets another's reply.
 *
 * @module
 */

import { BlinkError, connect } from "../client.ts";
import { Random } from "../loadgen/mod.ts";
import { assert, assertEquals } from "./assert.ts";
import { test } from "./client_bounded.ts";
import { type Peer, scriptedServer } from "./client_scripted.ts";

const calls = 3_000;

/** Answers each key with itself, in pieces, until the connection is dropped somewhere. */
async function unreliable(peer: Peer, random: () => number): Promise<void> {
  const until = Math.floor(random() * 400);
  for (let at = 0; at < until; at++) {
    const line = await peer.line();
    if (line === undefined || line === "QUIT") return;
    const reply = `VALUE ${btoa(line.slice("GET ".length))}\n`;
    const cut = random() < 0.2 ? Math.floor(random() * reply.length) : reply.length;
    await peer.send(reply.slice(0, cut));
    // Now and then the connection ends in the middle of a reply.
    if (cut < reply.length && random() < 0.05) return;
    if (cut < reply.length) await peer.send(reply.slice(cut));
  }
}

for (const seed of [1, 2, 3]) {
  test(`an unreliable server mixes up no replies (seed ${seed})`, async () => {
    const source = new Random(seed);
    const random = () => source.fraction();
    await using server = scriptedServer((peer) => unreliable(peer, random).catch(() => {}));
    await using store = await connect({
      port: server.port,
      inFlightMax: 50,
      backoffMsMin: 1,
      backoffMsMax: 2,
    });
    const kinds = new Map<string, number>();
    const count = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    await Promise.all(Array.from({ length: calls }, async (_, at) => {
      const signal = random() < 0.1 ? AbortSignal.timeout(random() * 20) : undefined;
      try {
        assertEquals(await store.get(`key${at}`, { signal }), `key${at}`);
        count("answered");
      } catch (error) {
        if (error instanceof BlinkError) count(error.kind);
        else if (signal?.aborted) count("stopped");
        else throw error;
      }
    }));
    const allowed = ["answered", "connection", "stopped"];
    assert([...kinds.keys()].every((kind) => allowed.includes(kind)), `${[...kinds]}`);
    assertEquals([...kinds.values()].reduce((sum, count) => sum + count), calls);
    assert((kinds.get("answered") ?? 0) > calls / 4, `${[...kinds]}`);
    assert((kinds.get("connection") ?? 0) > 0, `${[...kinds]}`);
    assertEquals(store.pending, 0);
  });
}
