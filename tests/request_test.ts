/**
 * Reading requests from bytes that nobody has promised anything about.
 *
 * @module
 */

import { commands } from "../protocol/commands.ts";
import { parseRequest, Request } from "../protocol/request.ts";
import { noVerb } from "../protocol/verbs.ts";
import { assert, assertEquals } from "./assert.ts";
import { bytesOf } from "./raw_client.ts";

const parts = [
  ...commands.map(({ verb }) => verb),
  ...commands.map(({ verb }) => verb.toLowerCase()),
  ...[" ", "  ", "\t", "k", "key", "-", "ttl=1", "ttl=", "ttl=9999999999", "keepttl", "b64", ","],
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
    parseRequest(bytes, 10, end, request);
    assertEquals([...bytes.subarray(0, 10), ...bytes.subarray(end)], Array(20).fill(0x41), text);
    if (request.problem !== undefined) {
      assertEquals(request.problem.line.at(-1), 0x0a);
      assertEquals(request.problem.line.indexOf(0x0a), request.problem.line.length - 1);
      continue;
    }
    assert(request.verb !== noVerb);
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
    parseRequest(line, 0, line.length, request);
    assertEquals(request.problem, undefined, text);
  };
  read("PUT k b64,absent,ttl=5 dg==");
  assertEquals([request.condition, request.expiry, request.base64], ["absent", 5000, true]);
  read("PUT k - v");
  assertEquals([request.condition, request.expiry, request.base64], ["none", "never", false]);
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
    parseRequest(line, 0, line.length, request);
    const needed = args.find((argument) => !("optional" in argument) || !argument.optional);
    const told = new TextDecoder().decode(request.problem?.line);
    assertEquals(told, needed ? `ERROR ${verb} requires ${needed.name}\n` : "");
  }
});
