/**
 * The engine without sockets: requests that are done in shares, and the store inside the process.
 *
 * @module
 */

import { connectInProcess, Engine, Session } from "../engine.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { type ModelOptions, ModelStore } from "./model_store.ts";
import { bytesOf, within } from "./raw_client.ts";

/** Runs a line until it is done; returns each outcome with what was to be sent then. */
function shares(engine: Engine, session: Session, input: string): [string, string][] {
  const bytes = bytesOf(input);
  const told: [string, string][] = [];
  let outcome: string;
  let start = 0;
  do {
    outcome = session.run(bytes, start, bytes.length);
    start = session.consumed;
    told.push([outcome, taken(engine)]);
  } while (outcome !== "read" && outcome !== "close");
  return told;
}

function engineOn(options: Partial<ModelOptions> = {}): [Engine, Session] {
  const store = new ModelStore({ limitBytes: 1 << 20, ...options });
  const engine = new Engine({ store, version: "0" });
  return [engine, new Session(engine, { lineBytesMax: 1 << 20 })];
}

Deno.test("engine: a put that the store does in shares is answered once, in order", () => {
  const [engine, session] = engineOn({ againBytes: 5 });
  assertEquals(shares(engine, session, "SET a 1\nSET b 12345\nGET b\n"), [
    ["again", "OK\n"],
    ["again", ""],
    ["read", "OK\nVALUE MTIzNDU=\n"],
  ]);
  assertEquals(engine.info().requests.SET, 2);
});

Deno.test("engine: a PUT in base64 that is done in shares is decoded once", () => {
  const [engine, session] = engineOn({ againBytes: 5 });
  const match = btoa("old one");
  shares(engine, session, "PUT a - old one\n");
  assertEquals(shares(engine, session, `PUT a b64,match=${match} ${btoa("new\none")}\nGET a\n`), [
    ["again", ""],
    ["again", ""],
    ["read", `OK\nVALUE ${btoa("new\none")}\n`],
  ]);
});

Deno.test("engine: while one request waits, others run, and its condition is looked at again", () => {
  const [engine, waiting] = engineOn({ againBytes: 5 });
  const other = new Session(engine, { lineBytesMax: 1 << 20 });
  const bytes = bytesOf("PUT a absent 12345\n");
  assertEquals(waiting.run(bytes, 0, bytes.length), "again");
  assertEquals(shares(engine, other, "SET a x\n"), [["read", "OK\n"]]);
  assertEquals(waiting.run(bytes, waiting.consumed, bytes.length), "read");
  assertEquals(taken(engine), "CONFLICT\n");
});

Deno.test("engine: flushes by prefix of several clients take their turns", () => {
  const [engine, first] = engineOn({ flushStep: 2 });
  const second = new Session(engine, { lineBytesMax: 1 << 20 });
  const keys = ["a1", "a2", "a3", "a4", "a5", "b1", "b2", "b3"];
  shares(engine, first, keys.map((key) => `SET ${key} x\n`).join(""));
  const flushA = bytesOf("FLUSH a\n");
  const flushB = bytesOf("FLUSH b\n");
  assertEquals(first.run(flushA, 0, flushA.length), "again");
  assertEquals(second.run(flushB, 0, flushB.length), "again");
  let rounds = 0;
  let outcomes: string[];
  do {
    outcomes = [
      first.run(flushA, first.consumed, flushA.length),
      second.run(flushB, second.consumed, flushB.length),
    ];
    rounds++;
  } while (outcomes.includes("again") && rounds < 20);
  assertEquals(taken(engine), "DELETED 5\nDELETED 3\n");
  assertEquals(engine.store.usage, 0);
});

Deno.test("engine: a flush whose client has gone is ended by the tick", () => {
  const [engine, gone] = engineOn({ flushStep: 1 });
  shares(engine, gone, "SET a1 x\nSET a2 x\nSET a3 x\nSET b x\n");
  const bytes = bytesOf("FLUSH a\n");
  assertEquals(gone.run(bytes, 0, bytes.length), "again");
  const next = new Session(engine, { lineBytesMax: 1 << 20 });
  for (let rounds = 0; engine.tick(); rounds++) assert(rounds < 20);
  assertEquals(shares(engine, next, "FLUSH b\n"), [["read", "DELETED 1\n"]]);
});

Deno.test("engine: a run ends when much waits to be sent, and goes on where it was", () => {
  const [engine, session] = engineOn();
  const value = "v".repeat(100_000);
  shares(engine, session, `SET k ${value}\n`);
  const told = shares(engine, session, "GET k\n".repeat(10));
  assertEquals(told.map(([outcome]) => outcome), ["flush", "flush", "flush", "flush", "read"]);
  assertEquals(told.map(([, sent]) => sent).join(""), `VALUE ${btoa(value)}\n`.repeat(10));
});

Deno.test("engine: a large value is sent in parts that are all of one value", () => {
  const [engine, reader] = engineOn({ limitBytes: 8 << 20 });
  const writer = new Session(engine, { lineBytesMax: 4 << 20 });
  for (const length of [196_607, 196_608, 196_609, 393_216, 393_217, 1_000_000]) {
    const value = "v".repeat(length);
    for (
      const [request, want] of [["GET k", "VALUE {old}\n"], [
        "MGET k x k",
        "VALUES {old} - {new}\n",
      ]]
    ) {
      shares(engine, writer, `SET k ${value}\n`);
      const bytes = bytesOf(`${request}\n`);
      let reply = "";
      let outcome: string;
      let start = 0;
      do {
        outcome = reader.run(bytes, start, bytes.length);
        start = reader.consumed;
        reply += taken(engine);
        // Written between the parts: it shows in no value that was begun.
        shares(engine, writer, "SET k other\n");
      } while (outcome === "flush");
      const whole = want.replace("{old}", btoa(value)).replace("{new}", btoa("other"));
      assert(reply === whole, `${request}, ${length} bytes`);
      assertEquals(reader.heldBytes, 0);
    }
  }
});

/** What the engine's output holds, as text; it is taken. */
function taken(engine: Engine): string {
  const { length } = engine.output;
  return new TextDecoder().decode(engine.output.take().subarray(0, length));
}

Deno.test("engine: values that do not lie in one piece", () => {
  const [engine, session] = engineOn({ scattered: true });
  const long = "v".repeat(100_000);
  const input = `SET k ${long}\nGET k\nSET e\nGET e\nMGET k e\nINCR n 7\nINCR n\n`;
  const replies = shares(engine, session, input).map(([, sent]) => sent).join("");
  const text = btoa(long);
  assertEquals(replies, `OK\nVALUE ${text}\nOK\nVALUE \nVALUES ${text} ""\nINT 7\nINT 8\n`);
});

Deno.test("engine: SCAN ends early when its keys are many bytes", () => {
  const [engine, session] = engineOn({ limitBytes: 64 << 20 });
  const key = (number: number) => `${number}`.padEnd(60_000, "k");
  const keys = Array.from({ length: 100 }, (_, number) => key(number));
  shares(engine, session, keys.map((name) => `SET ${name} x\n`).join(""));
  const seen: string[] = [];
  let cursor = "0";
  do {
    const [[, reply]] = shares(engine, session, `SCAN ${cursor} 10000\n`);
    assert(reply.length < 8 << 20, `${reply.length} bytes`);
    const [, next, ...found] = reply.trimEnd().split(" ");
    seen.push(...found);
    cursor = next;
  } while (cursor !== "0");
  assertEquals(seen.toSorted(), keys.toSorted());
});

async function textOf(readable: ReadableStream<Uint8Array>): Promise<string> {
  return await within(
    new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text(),
    "replies",
  );
}

Deno.test("in process: requests cut anywhere, and a last line without its end", async () => {
  const { readable, writable } = connectInProcess();
  const replies = textOf(readable);
  const writer = writable.getWriter();
  for (const byte of bytesOf("SET user alice\nGET user\nGET nobody")) {
    await writer.write(Uint8Array.of(byte));
  }
  await writer.close();
  assertEquals(await replies, "OK\nVALUE YWxpY2U=\nNOT_FOUND\n");
});

Deno.test("in process: QUIT ends it, and so does close", async () => {
  const quitting = connectInProcess();
  const writer = quitting.writable.getWriter();
  await writer.write(bytesOf("PING\nQUIT\nSET a 1\n"));
  assertEquals(await textOf(quitting.readable), "PONG\n");
  await assertRejects(() => writer.write(bytesOf("PING\n")), Error, "closed");

  const closing = connectInProcess({ memoryLimitBytes: 1024 });
  await closing.writable.getWriter().write(bytesOf(`SET a ${"v".repeat(1024)}\n`));
  closing.close();
  closing.close();
  assertEquals(await textOf(closing.readable), "ERROR value too large (max 1023 bytes)\n");
});

Deno.test("in process: more replies than are held wait for their reader", async () => {
  const { readable, writable } = connectInProcess();
  const writer = writable.getWriter();
  await writer.write(bytesOf(`SET k ${"v".repeat(300_000)}\n`));
  let written = 0;
  const writing = (async () => {
    for (; written < 20; written++) await writer.write(bytesOf("GET k\n"));
    await writer.close();
  })();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(written < 20, "everything was answered though nothing was read");
  assertEquals((await textOf(readable)).length, 3 + 20 * 400_007);
  await writing;
});
