/**
 * Parsing of requests, from any bytes at all.
 *
 * @module
 */

import { commands, commandTable } from "../commands/mod.ts";
import { Request, unknownVerb } from "../protocol.ts";
import { assert, assertEquals } from "./assert.ts";
import { bytesOf } from "./raw_client.ts";

const parts = [
  ...commands.map(({ verb }) => verb),
  ...commands.map(({ verb }) => verb.toLowerCase()),
  ...[
    " ",
    "  ",
    "\t",
    "k",
    "key",
    "-",
    "ttl=1",
    "ttl=",
    "ttl=9999999999",
    "keepttl",
    "b64",
    "bytes=1",
    "bytes=x",
    ",",
  ],
  ...[
    "absent",
    "present",
    "match=",
    "match=dg==",
    "match=!",
    "0",
    "1",
    "-1",
    "99999999999999999999",
  ],
  ...["never", "dg==", "=", "\0", "\xff", "\r", "é", "x".repeat(70)],
];

Deno.test("requests: no line makes the parser read or write beyond it", () => {
  const request = new Request();
  for (let round = 0; round < 30_000; round++) {
    const random = crypto.getRandomValues(new Uint8Array(8));
    const text = Array.from(random.subarray(0, random[7] % 8), (byte) => parts[byte % parts.length])
      .join(random[6] % 2 ? " " : "");
    const line = bytesOf(text);
    // On both sides of the line is what would change its meaning if it were read.
    const bytes = new Uint8Array(line.length + 20).fill(0x41);
    bytes.set(line, 10);
    const end = 10 + line.length;
    commandTable.parse(bytes, 10, end, request);
    assertEquals([...bytes.subarray(0, 10), ...bytes.subarray(end)], Array(20).fill(0x41), text);
    if (request.error !== undefined) {
      assertEquals(request.error.line.at(-1), 0x0a);
      assertEquals(request.error.line.indexOf(0x0a), request.error.line.length - 1);
      continue;
    }
    assert(request.verb !== unknownVerb);
    const { args } = commands[request.verb];
    if (args[0]?.kind === "key") {
      assert(10 <= request.keyStart && request.keyStart < request.keyEnd && request.keyEnd <= end);
    }
    if (["SET", "PUT", "MGET", "SCAN", "FLUSH", "AUTH"].includes(commands[request.verb].verb)) {
      assert(10 < request.valueStart && request.valueStart <= request.valueEnd, text);
      assert(request.valueEnd <= end, text);
    }
  }
});

Deno.test("requests: nothing of one line shows in the next", () => {
  const request = new Request();
  const read = (text: string) => {
    const line = bytesOf(text);
    commandTable.parse(line, 0, line.length, request);
    assertEquals(request.error, undefined, text);
  };
  read("PUT k b64,absent,ttl=5 dg==");
  assertEquals([request.condition, request.expiry, request.base64], ["absent", 5000, true]);
  read("PUT k bytes=1 v");
  assertEquals(request.valueBytes, 1);
  read("PUT k - v");
  assertEquals([request.condition, request.expiry, request.base64], ["none", "never", false]);
  assertEquals(request.valueBytes, -1);
  read("DELETE k match=dg==");
  assertEquals(request.condition, "match");
  read("DELETE k");
  assertEquals(request.condition, "none");
  read("GET k ttl=1");
  assertEquals(request.expiry, 1000);
  read("GET k");
  assertEquals(request.expiry, "keep");
  read("INCR k -7 ttl=2");
  assertEquals([request.by, request.expiry], [-7n, 2000]);
  read("INCR k");
  assertEquals([request.by, request.expiry], [1n, "keep"]);
  read("SCAN 5 7 p");
  assertEquals([request.cursor, request.count], [5, 7]);
  read("SCAN 0");
  assertEquals([request.cursor, request.count, request.valueStart], [0, 100, request.valueEnd]);
});

Deno.test("requests: every command's arguments are parsed as the table says", () => {
  const request = new Request();
  for (const { verb, args } of commands) {
    const line = bytesOf(verb);
    commandTable.parse(line, 0, line.length, request);
    const needed = args.find((argument) => !("optional" in argument) || !argument.optional);
    const reply = new TextDecoder().decode(request.error?.line);
    assertEquals(reply, needed ? `ERROR ${verb} requires ${needed.name}\n` : "");
  }
});
