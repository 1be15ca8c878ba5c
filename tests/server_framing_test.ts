/**
 * Lines: where they end, how long they may be, and that it does not matter how they are cut.
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";
import { ManualServer } from "./server_manual.ts";
import { bytesOf, RawClient } from "./raw_client.ts";
import { serve } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

/** The replies to input that arrives in these parts. */
function replies(parts: readonly Uint8Array[], lineBytesMax = 1 << 20): string {
  const client = new ManualServer({ lineBytesMax }).connect();
  for (const part of parts) client.send(part);
  client.end();
  return client.replies;
}

const mixed = bytesOf(
  "SET user alice\nGET user\r\n\nset k  v \r\nGET k\nPUT b b64 aGk=\nMGET user k b x\r\n" +
    "nonsense\nDELETE user\nUSAGE\nGET b\nINCR n\nTTL n",
);
const mixedReplies = "OK\nVALUE YWxpY2U=\nERROR unknown command\nOK\nVALUE IHYg\nOK\n" +
  "VALUES YWxpY2U= IHYg aGk= -\nERROR unknown command\nOK\nUSAGE 7\nVALUE aGk=\nINT 1\nTTL never\n";

Deno.test("framing: input cut at every byte", () => {
  for (let cut = 0; cut <= mixed.length; cut++) {
    assertEquals(
      replies([mixed.subarray(0, cut), mixed.subarray(cut)]),
      mixedReplies,
      `cut at ${cut}`,
    );
  }
});

Deno.test("framing: input a byte at a time", () => {
  const parts = [...mixed].map((byte) => Uint8Array.of(byte));
  assertEquals(replies(parts), mixedReplies);
});

Deno.test("framing: the same over a socket, cut at every seventh byte", async () => {
  await using server = await serve({ tcp: anyPort });
  for (let cut = 3; cut < mixed.length; cut += 7) {
    using client = await RawClient.to(server.addresses[0]);
    await client.send("FLUSH\n");
    await client.lines(1);
    await client.send(mixed.subarray(0, cut));
    // Only the whole lines are answered now; waiting for them makes the cut a real one.
    const whole = new TextDecoder().decode(mixed.subarray(0, cut)).split("\n").length - 1;
    const first = await client.lines(whole);
    await client.send(mixed.subarray(cut));
    await client.end();
    const all = first.map((line) => `${line}\n`).join("") + await client.rest();
    assertEquals(all, mixedReplies, `cut at ${cut}`);
  }
});

Deno.test("framing: one carriage return before the line feed is dropped, and no other", () => {
  assertEquals(
    replies([bytesOf("SET a x\r\r\nGET a\nSET b \r\nGET b\nSET c y\rz\nGET c\n")]),
    "OK\nVALUE eA0=\nOK\nVALUE \nOK\nVALUE eQ16\n",
  );
});

const limit = 40;
const lengths: readonly (readonly [number, boolean])[] = [
  [limit - 1, true],
  [limit, true],
  [limit + 1, false],
  [limit + 2, false],
  [10 * limit, false],
];

for (const [length, fits] of lengths) {
  Deno.test(`framing: a line of ${length} bytes where ${limit} are allowed`, () => {
    const line = `SET k ${"v".repeat(length - 6)}`;
    const reply = fits ? "OK" : `ERROR line too long (max ${limit} bytes)`;
    for (const end of ["\n", "\r\n"]) {
      const input = bytesOf(`USAGE${end}${line}${end}GET nothing${end}`);
      const want = `USAGE 0\n${reply}\nNOT_FOUND\n`;
      for (let cut = 0; cut <= input.length; cut++) {
        const parts = [input.subarray(0, cut), input.subarray(cut)];
        assertEquals(replies(parts, limit), want, `cut at ${cut}`);
      }
    }
    // The last line needs no line feed, whether it is too long or not.
    assertEquals(replies([bytesOf(`USAGE\n${line}`)], limit), `USAGE 0\n${reply}\n`);
  });
}

Deno.test("framing: a line that is too long is answered before its end comes", async () => {
  await using server = await serve({ tcp: anyPort, lineBytesMax: 1000 });
  using client = await RawClient.to(server.addresses[0]);
  await client.send("x".repeat(1001));
  assertEquals(await client.lines(1), ["ERROR line too long (max 1000 bytes)"]);
  await client.send("x".repeat(300_000));
  await client.send("\nUSAGE\n");
  assertEquals(await client.lines(1), ["USAGE 0"]);
});

Deno.test("framing: a value of 16 MiB less the words before it, sent whole", async () => {
  await using server = await serve({ tcp: anyPort, memoryLimitBytes: 32 << 20 });
  using client = await RawClient.to(server.addresses[0]);
  const longest = 16 * 1024 * 1024;
  const value = new Uint8Array(longest - 6).fill(0x7a);
  await client.send("SET k ");
  await client.send(value);
  await client.send("\nUSAGE\nSET k ");
  await client.send(value);
  await client.send("z\nUSAGE\n");
  assertEquals(await client.lines(4), [
    "OK",
    `USAGE ${longest - 5}`,
    `ERROR line too long (max ${longest} bytes)`,
    `USAGE ${longest - 5}`,
  ]);
});

Deno.test("framing: 10,000 requests in one write are answered in order", async () => {
  await using server = await serve({ tcp: anyPort });
  using client = await RawClient.to(server.addresses[0]);
  const numbers = Array.from({ length: 5000 }, (_, number) => number);
  const sent = client.send(
    numbers.map((number) => `SET k${number} ${number}\nGET k${number}\n`).join(""),
  );
  const lines = await client.lines(10_000);
  await sent;
  assertEquals(lines, numbers.flatMap((number) => ["OK", `VALUE ${btoa(String(number))}`]));
});

Deno.test("framing: a client that half-closes gets every reply", async () => {
  await using server = await serve({ tcp: anyPort });
  await Promise.all(Array.from({ length: 100 }, async (_, number) => {
    using client = await RawClient.to(server.addresses[0]);
    await client.send(`SET k${number} 1\nGET k${number}\nUSAGE now`);
    await client.end();
    const lines = (await client.rest()).split("\n");
    assertEquals(lines.slice(0, 2), ["OK", "VALUE MQ=="]);
    assert(lines[2].startsWith("USAGE "), lines[2]);
  }));
});
