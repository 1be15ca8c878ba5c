import { isSameStore, readCopyAddress, withPassword } from "../cli/copy_address.ts";
import { UsageError } from "../cli/usage_error.ts";
import { portDefault } from "../protocol.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "./assert.ts";

const here = { hostname: "127.0.0.1", port: 6379 };

Deno.test("a copy's address has a scheme, or is HOST:PORT", () => {
  const plain = { at: here, tls: false, database: 0, isBlink: false };
  const addresses: [string, Partial<ReturnType<typeof readCopyAddress>>][] = [
    ["redis://127.0.0.1", { ...plain, shown: "redis://127.0.0.1:6379/0" }],
    ["REDIS://127.0.0.1:6379/", { ...plain, shown: "redis://127.0.0.1:6379/0" }],
    ["redis://127.0.0.1:6379/7", { ...plain, database: 7, shown: "redis://127.0.0.1:6379/7" }],
    ["rediss://127.0.0.1", { ...plain, tls: true, shown: "rediss://127.0.0.1:6379/0" }],
    ["redis://u:p%40%20x@127.0.0.1", {
      ...plain,
      username: "u",
      password: "p@ x",
      shown: "redis://127.0.0.1:6379/0",
    }],
    ["redis://:p@[::1]:7/2", {
      ...plain,
      at: { hostname: "::1", port: 7 },
      password: "p",
      database: 2,
      shown: "redis://[::1]:7/2",
    }],
    ["blink://127.0.0.1", {
      ...plain,
      at: { ...here, port: portDefault },
      isBlink: true,
      shown: `blink://127.0.0.1:${portDefault}`,
    }],
    ["127.0.0.1:6379", { ...plain, isBlink: true, shown: "127.0.0.1:6379" }],
    [":6379", { ...plain, isBlink: true, shown: "127.0.0.1:6379" }],
    ["unix:///run/a%20b", { ...plain, at: { unix: "/run/a b" }, shown: "unix:///run/a b" }],
    ["unix:///run/s?db=3", {
      ...plain,
      at: { unix: "/run/s" },
      database: 3,
      shown: "unix:///run/s?db=3",
    }],
  ];
  for (const [text, address] of addresses) assertEquals(readCopyAddress(text), address, text);
});

Deno.test("a wrong address is refused, and its password is in no message", () => {
  const wrong = [
    "http://h",
    "redis://",
    "redis://h:99999",
    "redis://h/x",
    "redis://h/-1",
    "redis://h/4294967296",
    "redis://h?db=1",
    "redis://:s3cret#x@h",
    "redis://:s3cret%x@h",
    "redis://user@h",
    "unix://relative",
    "unix:///",
    "unix:///p?db=x",
    "127.0.0.1",
    "",
  ];
  for (const text of wrong) {
    const { message } = assertThrows(() => readCopyAddress(text), UsageError);
    assert(!message.includes("s3cret"), message);
  }
});

Deno.test("a copy's password is that of its address, a file, a variable, or the token", async () => {
  const path = await Deno.makeTempFile();
  const env = (variables: Record<string, string>) => (name: string) => variables[name];
  const passwordOf = async (text: string, file?: string, variables = {}) =>
    (await withPassword(readCopyAddress(text), file, "BLINK_FROM_PASSWORD", env(variables)))
      .password;
  try {
    await Deno.writeTextFile(path, "of the file\n");
    const all = { BLINK_FROM_PASSWORD: "variable", BLINK_TOKEN: "token" };
    assertEquals(await passwordOf("redis://:p@h", undefined, all), "p");
    assertEquals(await passwordOf("redis://h", path, all), "of the file");
    assertEquals(await passwordOf("redis://h", undefined, all), "variable");
    const token = { BLINK_TOKEN: "token" };
    assertEquals(await passwordOf("redis://h", undefined, token), undefined);
    assertEquals(await passwordOf("blink://h", undefined, token), "token");
    assertEquals(await passwordOf("h:1", undefined, token), "token");
    assertEquals(
      await passwordOf("h:1", undefined, { ...token, BLINK_FROM_PASSWORD: "" }),
      "token",
    );
    await assertRejects(() => passwordOf("redis://:p@h", path), UsageError, "redis://h:6379/0");
    await assertRejects(() => passwordOf("redis://h", `${path}.none`), Error, "no such file");
    await Deno.writeTextFile(path, "in.one.word");
    assertEquals(await passwordOf("h:1", undefined, { BLINK_TOKEN_FILE: path }), "in.one.word");
    await Deno.writeTextFile(path, "\n");
    await assertRejects(() => passwordOf("redis://h", path), Error, "is empty");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("two addresses name one store by their place and database", () => {
  const same = (one: string, other: string) =>
    isSameStore(readCopyAddress(one), readCopyAddress(other));
  assert(same("redis://h:1", "blink://h:1"));
  assert(same("redis://:p@h:1/0", "h:1"));
  assert(!same("redis://h:1/0", "redis://h:1/1"));
  assert(!same("redis://h:1", "redis://h:2"));
  assert(same("unix:///s", "unix:///s?db=0"));
});
