/**
 * Tests of cli/token.ts: a token is exactly the UTF-8 text of its file, and weak ones cause
 * warnings.
 */
import { readToken, tokenBytesMax, tokenCharsRecommended, tokenWarnings } from "../cli/token.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { blinkStore, serving } from "./command_line.ts";

const onWindows = Deno.build.os === "windows";
const noEnvironment = () => undefined;

/** A token file of this test's own, removed after it. */
async function tokenFile(content: string | Uint8Array, mode = 0o600) {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/token`;
  await Deno.writeFile(
    path,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  if (!onWindows) await Deno.chmod(path, mode);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

async function tokenIn(content: string | Uint8Array): Promise<string | undefined> {
  await using file = await tokenFile(content);
  return await readToken(file.path, noEnvironment);
}

Deno.test("a token is the text of its file, without line breaks at its end", async () => {
  assertEquals(await tokenIn("s3cret"), "s3cret");
  assertEquals(await tokenIn("s3cret\n"), "s3cret");
  assertEquals(await tokenIn("s3cret\r\n\n"), "s3cret");
  assertEquals(await tokenIn("schlüssel-鍵"), "schlüssel-鍵");
});

Deno.test("guards against a token file that is not UTF-8 and was read as something else", async () => {
  const notUtf8 = [
    Uint8Array.of(0xff),
    Uint8Array.of(0x61, 0x80),
    // A character cut short at the end, an overlong form, a surrogate.
    Uint8Array.of(0x61, 0xe9, 0x8d),
    Uint8Array.of(0xc0, 0xaf),
    Uint8Array.of(0xed, 0xa0, 0x80),
    // UTF-16, as some editors write it.
    Uint8Array.of(0xff, 0xfe, 0x61, 0x00),
  ];
  for (const bytes of notUtf8) {
    await assertRejects(() => tokenIn(bytes), Error, "is not UTF-8 text");
  }
  await assertRejects(() => tokenIn("\ufeffs3cret"), Error, "begins with a byte order mark");
});

Deno.test("a variable that was not UTF-8 is refused, since its bytes are lost", async () => {
  const read = (token: string) => readToken(undefined, () => token);
  assertEquals(await read("s3cret"), "s3cret");
  assertEquals(await read(""), undefined);
  await assertRejects(() => read("\ufffd\ufffd"), Error, "BLINK_TOKEN is not UTF-8 text");
  await assertRejects(() => read("two words"), Error, "BLINK_TOKEN holds a blank");
});

Deno.test("a token has a longest length, in a file and in the variable", async () => {
  for (const [bytes, taken] of [[-1, true], [0, true], [1, false]] as const) {
    const token = "x".repeat(tokenBytesMax + bytes);
    for (const read of [() => tokenIn(`${token}\n`), () => readToken(undefined, () => token)]) {
      if (taken) assertEquals(await read(), token);
      else await assertRejects(read, Error, `is too long: a token has at most ${tokenBytesMax}`);
    }
  }
  // Bytes count, not characters; and a file without an end is not read to it.
  await assertRejects(() => tokenIn("é".repeat(tokenBytesMax / 2 + 1)), Error, "is too long");
  if (!onWindows) {
    await assertRejects(() => readToken("/dev/zero", noEnvironment), Error, "is too long");
  }
});

Deno.test("a missing, empty or divided token names its file", async () => {
  await assertRejects(
    () => readToken("/nowhere/token", noEnvironment),
    Error,
    "Cannot read the token file /nowhere/token: no such file",
  );
  await assertRejects(() => tokenIn(""), Error, "is empty");
  await assertRejects(() => tokenIn("\n"), Error, "is empty");
  await assertRejects(() => tokenIn("two words"), Error, "holds a blank");
});

Deno.test({
  name: "a token file that group or others can use gets a warning",
  ignore: onWindows,
  fn: async () => {
    const token = "x".repeat(tokenCharsRecommended);
    for (const [mode, open] of [[0o600, 0], [0o400, 0], [0o700, 0], [0o640, 1], [0o604, 1]]) {
      await using file = await tokenFile(token, mode);
      const warnings = await tokenWarnings(file.path, token);
      assertEquals(warnings.length, open, mode.toString(8));
      if (open > 0) assertStringIncludes(warnings[0], file.path);
    }
    assertEquals(await tokenWarnings("/nowhere/token", token), []);
  },
});

Deno.test("a short token gets a warning that does not hold it", async () => {
  for (const [characters, count] of [[15, 1], [16, 0], [17, 0]]) {
    const warnings = await tokenWarnings(undefined, "鍵".repeat(characters));
    assertEquals(warnings.length, count);
    if (count > 0) assertEquals(warnings[0].includes("鍵"), false);
  }
  assertEquals(await tokenWarnings(undefined, undefined), []);
});

Deno.test("server and client refuse a token file that is not UTF-8, in one line", async () => {
  await using file = await tokenFile(Uint8Array.of(0x61, 0xff));
  for (const words of [["serve", "--tcp", ":0"], ["client", "USAGE"], ["bench", "-n", "1"]]) {
    const [subcommand, ...rest] = words;
    const flag = ["--token-file", file.path];
    const { status, stdout, stderr } = await blinkStore([subcommand, ...flag, ...rest]);
    assertEquals({ status, stdout }, { status: 1, stdout: "" }, subcommand);
    assertEquals(
      stderr,
      `blink-store: The token file ${file.path} is not UTF-8 text: save it as UTF-8\n`,
    );
  }
});

Deno.test("serve logs the warnings about its token", async () => {
  await using file = await tokenFile("short", 0o644);
  await using server = await serving(["--tcp", ":0", "--token-file", file.path]);
  if (!onWindows) await server.logged(`can use the token file ${file.path}`);
  await server.logged("Warning: the token has 5 of the 16 characters");
});
