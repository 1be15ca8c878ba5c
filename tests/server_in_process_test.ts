/**
 * The wire without a network.
 *
 * @module
 */

import { connectInProcess } from "../server.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { bytesOf, until, within } from "./raw_client.ts";

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
  await until(() => written > 0, "the first write");
  // Far more turns of the event loop than twenty writes take where nothing holds them back.
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  assert(written < 20, "everything was answered though nothing was read");
  assertEquals((await textOf(readable)).length, 3 + 20 * 400_007);
  await writing;
});
