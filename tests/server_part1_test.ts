/**
 * Part 1 of the protocol, to the byte, over real sockets.
 *
 * @module
 */

import type { ServerOptions } from "../server.ts";
import { assertEquals } from "./assert.ts";
import { bytesOf, RawClient } from "./raw_client.ts";
import { serve } from "./served.ts";

const anyPort = [{ hostname: "127.0.0.1", port: 0 }];

/** What a fresh server answers to all of this input, after which the client ends its side. */
async function answer(
  input: string | Uint8Array,
  options: ServerOptions = {},
): Promise<string> {
  await using server = await serve({ tcp: anyPort, ...options });
  using client = await RawClient.to(server.addresses[0]);
  await client.send(input);
  await client.end();
  return await client.rest();
}

const sessions: Record<string, readonly (readonly [string, string])[]> = {
  "SET, GET, DELETE and USAGE": [
    ["SET user alice", "OK"],
    ["GET user", "VALUE YWxpY2U="],
    ["USAGE", "USAGE 9"],
    ["DELETE user", "OK"],
    ["DELETE user", "NOT_FOUND"],
    ["GET user", "NOT_FOUND"],
    ["USAGE", "USAGE 0"],
  ],
  "verbs in any case, and aliases": [
    ["set a 1", "OK"],
    ["gEt a", "VALUE MQ=="],
    ["Stats", "USAGE 2"],
    ["del a", "OK"],
    ["dEl a", "NOT_FOUND"],
  ],
  "blanks before the verb, between words and after a last key": [
    [" \t SET \t a 1", "OK"],
    ["GET\ta", "VALUE MQ=="],
    ["  GET   a \t ", "VALUE MQ=="],
    ["DELETE a  ", "OK"],
  ],
  "a value is everything after the one blank": [
    ["SET k  two  inner and trailing \t", "OK"],
    ["GET k", "VALUE IHR3byAgaW5uZXIgYW5kIHRyYWlsaW5nIAk="],
    ["SET k\tafter a tab", "OK"],
    ["GET k", "VALUE YWZ0ZXIgYSB0YWI="],
  ],
  "an empty value": [
    ["SET k", "OK"],
    ["GET k", "VALUE "],
    ["SET k x", "OK"],
    ["SET k ", "OK"],
    ["GET k", "VALUE "],
    ["USAGE", "USAGE 1"],
  ],
  "missing keys": [
    ["SET", "ERROR SET requires key"],
    ["GET", "ERROR GET requires key"],
    ["GET  \t", "ERROR GET requires key"],
    ["DELETE", "ERROR DELETE requires key"],
    ["DEL ", "ERROR DELETE requires key"],
  ],
  "anything else": [
    ["", "ERROR unknown command"],
    [" ", "ERROR unknown command"],
    ["NONSENSE", "ERROR unknown command"],
    ["GETS k", "ERROR unknown command"],
    ["GE", "ERROR unknown command"],
    ["GET\u00a0k", "ERROR unknown command"],
    ["SE\u0014 k v", "ERROR unknown command"],
    ["\u0000GET k", "ERROR unknown command"],
    ["GET,k", "ERROR unknown command"],
    ["SET k still usable", "OK"],
  ],
  "extra words after USAGE": [["USAGE of what", "USAGE 0"]],
};

for (const [name, steps] of Object.entries(sessions)) {
  Deno.test(`part 1: ${name}`, async () => {
    const input = steps.map(([request]) => `${request}\n`).join("");
    const want = steps.map(([, reply]) => `${reply}\n`).join("");
    assertEquals(await answer(input), want);
    assertEquals(await answer(input.replaceAll("\n", "\r\n")), want, "with carriage returns");
  });
}

Deno.test("part 1: QUIT sends what is pending and runs nothing after it", async () => {
  await using server = await serve({ tcp: anyPort });
  using client = await RawClient.to(server.addresses[0]);
  await client.send("SET a 1\nQUIT now\nSET a 2\nGET a\n");
  assertEquals(await client.rest(), "OK\n");
  using other = await RawClient.to(server.addresses[0]);
  assertEquals(await other.ask("GET a\n"), ["VALUE MQ=="]);
});

Deno.test("part 1: keys of 65,535 bytes and no more", async () => {
  const longest = "k".repeat(65_535);
  const want = "OK\nVALUE dg==\nERROR key too long (max 65535 bytes)\n";
  assertEquals(await answer(`SET ${longest} v\nGET ${longest}\nGET ${longest}k\n`), want);
  assertEquals(
    await answer(`SET ${longest}k v\nDELETE ${longest}k\n`),
    "ERROR key too long (max 65535 bytes)\n".repeat(2),
  );
});

Deno.test("part 1: a value that cannot fit is refused and what was there stays", async () => {
  const options = { memoryLimitBytes: 1024 };
  const fits = "v".repeat(1021);
  assertEquals(
    await answer(`SET key old\nSET key ${fits}\nSET key ${fits}v\nUSAGE\n`, options),
    "OK\nOK\nERROR value too large (max 1021 bytes)\nUSAGE 1024\n",
  );
});

Deno.test("part 1: bytes come back unchanged, whatever they are", async () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0a);
  const key = all.filter((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d);
  const input = [
    ...bytesOf("SET "),
    ...key,
    0x20,
    ...all,
    ...bytesOf("\nGET "),
    ...key,
    ...bytesOf("\nUSAGE\n"),
  ];
  const value = btoa(String.fromCharCode(...all));
  assertEquals(
    await answer(Uint8Array.from(input)),
    `OK\nVALUE ${value}\nUSAGE ${key.length + all.length}\n`,
  );
});

Deno.test("part 1: values of every length near the edges of base64", async () => {
  for (const length of [1, 2, 3, 4, 5, 255, 256, 257, 258, 196_607, 196_608, 196_609, 600_001]) {
    const value = Array.from({ length }, (_, at) => String.fromCharCode(97 + at % 26)).join("");
    assertEquals(await answer(`SET k ${value}\nGET k\n`), `OK\nVALUE ${btoa(value)}\n`);
  }
});

Deno.test("part 1: TCP and a Unix socket serve one store", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using server = await serve({ tcp: anyPort, unix: [{ path: `${folder}/socket` }] });
    using tcp = await RawClient.to(server.addresses[0]);
    using unix = await RawClient.to(server.addresses[1]);
    assertEquals(await tcp.ask("SET a 1\n"), ["OK"]);
    assertEquals(await unix.ask("GET a\nDELETE a\n"), ["VALUE MQ==", "OK"]);
    assertEquals(await tcp.ask("GET a\n"), ["NOT_FOUND"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
