import { assertEquals, assertThrows } from "./assert.ts";
import {
  readAddress,
  readBytes,
  readCount,
  readMode,
  readPort,
  readSeconds,
  readThreads,
  showAddress,
  showBytes,
  typedBytes,
} from "../cli/values.ts";
import { UsageError } from "../cli/usage_error.ts";

Deno.test("sizes are plain bytes or binary units, in any case", () => {
  assertEquals(readBytes("0"), 0);
  assertEquals(readBytes("10485760"), 10 * 2 ** 20);
  assertEquals(readBytes("512KiB"), 512 * 1024);
  assertEquals(readBytes("10mib"), 10 * 2 ** 20);
  assertEquals(readBytes("2GiB"), 2 * 2 ** 30);
  assertEquals(readBytes("7B"), 7);
});

Deno.test("a wrong size is refused with the forms that sizes have", () => {
  for (const text of ["", "10MB", "10M", "1.5GiB", "-1", "0x10", "1e3", " 1", "KiB", "10 MiB"]) {
    assertThrows(() => readBytes(text), UsageError, "10MiB");
  }
});

Deno.test("the bounds of a size are part of it", () => {
  assertEquals(readBytes("1KiB", { min: 1024, max: 2048 }), 1024);
  assertEquals(readBytes("2048", { min: 1024, max: 2048 }), 2048);
  assertThrows(() => readBytes("1023", { min: 1024 }), UsageError, "less than 1 KiB");
  assertThrows(() => readBytes("2049", { max: 2048 }), UsageError, "more than 2 KiB");
  assertThrows(() => readBytes("99999999999TiB"), UsageError, "too large");
});

Deno.test("whole numbers, seconds, ports and modes say what they are not", () => {
  assertEquals(readCount("12", { min: 1 }), 12);
  assertThrows(() => readCount("0", { min: 1 }), UsageError, "less than 1");
  assertThrows(() => readCount("1.5"), UsageError, "whole number");
  assertEquals(readThreads("auto", { max: 64 }), "auto");
  assertEquals(readThreads("64", { min: 1, max: 64 }), 64);
  assertThrows(() => readThreads("65", { min: 1, max: 64 }), UsageError, "more than 64");
  assertThrows(() => readThreads("0", { min: 1, max: 64 }), UsageError, "less than 1");
  assertThrows(() => readThreads("all"), UsageError, "give auto");
  assertEquals(readSeconds("0.25"), 0.25);
  assertEquals(readSeconds(".5"), 0.5);
  assertThrows(() => readSeconds("1s"), UsageError, "seconds");
  assertThrows(() => readSeconds("."), UsageError, "seconds");
  assertEquals(readPort("0"), 0);
  assertEquals(readPort("65535"), 65_535);
  assertThrows(() => readPort("65536"), UsageError, "more than 65535");
  assertThrows(() => readPort("http"), UsageError, "port");
  assertEquals(readMode("0660"), 0o660);
  assertEquals(readMode("600"), 0o600);
  for (const text of ["rw", "0680", "1777", "60"]) {
    assertThrows(() => readMode(text), UsageError, "octal");
  }
});

Deno.test("addresses are HOST:PORT, with IPv6 in brackets, and a port alone is on loopback", () => {
  assertEquals(readAddress("127.0.0.1:8765"), { hostname: "127.0.0.1", port: 8765 });
  assertEquals(readAddress("store.example:1"), { hostname: "store.example", port: 1 });
  assertEquals(readAddress("[::1]:8765"), { hostname: "::1", port: 8765 });
  assertEquals(readAddress(":0"), { hostname: "127.0.0.1", port: 0 });
  for (
    const text of ["", "8765", "localhost", "localhost:", "::1:8765", "[::1]", "a b:1", "[x]:1"]
  ) {
    assertThrows(() => readAddress(text), UsageError, "HOST:PORT");
  }
  assertThrows(() => readAddress("localhost:65536"), UsageError, "more than 65535");
});

Deno.test("sizes and addresses are shown as they are read", () => {
  assertEquals(showBytes(10 * 2 ** 20), "10 MiB");
  assertEquals(showBytes(1536), "1536 bytes");
  assertEquals(showBytes(3 * 2 ** 30), "3 GiB");
  for (const bytes of [0, 1, 1000, 1023, 1024, 1536, 10 * 2 ** 20, 2 ** 40]) {
    assertEquals(readBytes(typedBytes(bytes)), bytes);
  }
  assertEquals(typedBytes(256 * 2 ** 20), "256MiB");
  for (const text of ["127.0.0.1:8765", "[::1]:8765"]) {
    assertEquals(showAddress(readAddress(text)), text);
  }
});
