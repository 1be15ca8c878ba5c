/**
 * One scenario for the example programs of every language: the interactive client, the one-off
 * commands and the HTTP backend, with keys and values that try to become commands.
 *
 * @module
 */

import { connect } from "../client.ts";
import { serve, type Server } from "../server.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { anyPort, Backend, freePort, programMsMax } from "./http_backend.ts";

/** How one language's programs are started. */
export interface Language {
  /** Its name, for the tests. */
  readonly name: string;
  /** The programs that must be installed, each with an argument that makes it end well. */
  readonly needs: readonly (readonly [string, string])[];
  /** Builds the programs, where that is needed, into a folder; runs before the first test. */
  readonly build?: (folder: string) => Promise<void>;
  /** The command line of one of the programs. */
  readonly command: (program: "client" | "oneoff" | "backend", folder: string) => string[];
  /** True when its backend cannot listen on port 0 and say which port that became. */
  readonly fixedPort?: boolean;
}

/** The folder of the example programs. */
export const examples = new URL("../examples/", import.meta.url).pathname;

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
  bytes: Uint8Array;
}

/** Runs a program to its end, or until it has taken too long. */
export async function run(
  command: readonly string[],
  { env = {}, cwd, input = "", msMax = programMsMax }: {
    env?: Record<string, string>;
    cwd?: string;
    input?: string | Uint8Array;
    msMax?: number;
  } = {},
): Promise<Outcome> {
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    env,
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(msMax),
  }).spawn();
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const writer = child.stdin.getWriter();
  const written = writer.write(bytes).then(() => writer.close()).catch(() => {
    // A program may end without reading its input.
  });
  const { code, stdout, stderr } = await child.output();
  await written;
  const text = (data: Uint8Array) => new TextDecoder().decode(data);
  return { code, stdout: text(stdout), stderr: text(stderr), bytes: stdout };
}

/** The first of some programs that is not installed. */
export async function missing(
  ...needs: readonly (Language["needs"] | undefined)[]
): Promise<string | undefined> {
  for (const [program, argument] of needs.flatMap((some) => some ?? [])) {
    try {
      const { success } = await new Deno.Command(program, {
        args: [argument],
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) continue;
    } catch {
      // Not found: told below.
    }
    return program;
  }
}

/** `HOST:PORT` of a server. */
export function addressOf(server: Server): string {
  const { hostname, port } = server.addresses[0] as Deno.NetAddr;
  return `${hostname}:${port}`;
}

/** Registers the tests of a language; where it is not installed they are skipped and say so. */
export async function testLanguage(language: Language): Promise<void> {
  const lacking = await missing(language.needs);
  const because = lacking === undefined ? "" : ` (skipped: ${lacking} is not installed)`;
  const folder = `${examples}${language.name}`;
  let built: Promise<string> | undefined;
  const ready = () => built ??= build(language, folder);
  const test = (name: string, fn: (folder: string) => Promise<void>) =>
    Deno.test({
      name: `${language.name}: ${name}${because}`,
      ignore: lacking !== undefined,
      fn: async () => await fn(await ready()),
    });
  test("the interactive client", (at) => converse(language, at));
  test("the interactive client without a store", (at) => converseWithNobody(language, at));
  test("one-off commands", (at) => oneOff(language, at));
  test("the HTTP backend, with hostile keys and values", (at) => backend(language, at));
}

async function build(language: Language, folder: string): Promise<string> {
  if (language.build === undefined) return folder;
  const target = await Deno.makeTempDir({ prefix: `blink-example-${language.name}-` });
  addEventListener("unload", () => Deno.removeSync(target, { recursive: true }));
  await language.build(target);
  return target;
}

/** What an interactive client printed, without prompts and empty lines. */
export function said(stdout: string): string[] {
  return stdout.split("\n").map((line) => line.replace(/^(> )+/, "").trim())
    .filter((line) => line !== "" && line !== ">");
}

async function converse(language: Language, folder: string): Promise<void> {
  await using server = await serve({ tcp: [anyPort] });
  const [host, port] = addressOf(server).split(":");
  const greeting = [
    `Connected to ${host}:${port}`,
    "Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT",
  ];
  const command = [...language.command("client", folder), host, port];
  const typed = "SET user alice\nGET user\nUSAGE\nDELETE user\nGET user\n\nqUiT\nSET later x\n";
  const session = await run(command, { input: typed });
  assertEquals(said(session.stdout), [
    ...greeting,
    "OK",
    "alice",
    "USAGE 9",
    "OK",
    "NOT_FOUND",
  ]);
  assertEquals([session.code, session.stderr], [0, ""]);

  // G1tB is ESC [ A: raw, it would move the cursor. The end of the input ends the client too.
  const more = "SET long " + "x".repeat(20_000) +
    "\nGET long\nPUT odd b64 G1tB\nGET odd\nSET ключ 値\nGET ключ\nnonsense\n";
  const { stdout, code } = await run(command, { input: more });
  const lines = said(stdout).slice(greeting.length);
  assertEquals(lines[1], "x".repeat(20_000));
  assert(!stdout.includes("\x1b"), "a control character reached the terminal");
  assert(lines[3].endsWith("[A"), lines[3]);
  assertEquals(lines.slice(4), ["OK", "値", "ERROR unknown command"]);
  assertEquals(code, 0);
}

async function converseWithNobody(language: Language, folder: string): Promise<void> {
  const command = [...language.command("client", folder), "127.0.0.1", String(freePort())];
  const { code, stderr, stdout } = await run(command, { input: "USAGE\n" });
  assertEquals(code, 1);
  assertEquals(stdout, "");
  assertEquals(stderr.trim().split("\n").length, 1, stderr);
}

async function oneOff(language: Language, folder: string): Promise<void> {
  await using server = await serve({ tcp: [anyPort], token: "open-sesame" });
  const env = { BLINK_STORE: addressOf(server), BLINK_TOKEN: "open-sesame" };
  const oneoff = (words: string[], input?: string | Uint8Array) =>
    run([...language.command("oneoff", folder), ...words], { env, input });
  const outcome = async (...words: string[]) => {
    const { code, stdout } = await oneoff(words);
    return [code, stdout];
  };
  assertEquals(await outcome("SET", "config.timeout", "30"), [0, "OK\n"]);
  assertEquals(await outcome("USAGE"), [0, "USAGE 16\n"]);
  assertEquals(await outcome("get", "config.timeout"), [0, "30\n"]);
  assertEquals(await outcome("SET", "ключ", " значение\r\nFLUSH\r\n "), [0, "OK\n"]);
  assertEquals(await outcome("GET", "ключ"), [0, " значение\r\nFLUSH\r\n \n"]);
  assertEquals(await outcome("DELETE", "config.timeout"), [0, "OK\n"]);
  const gone = await oneoff(["GET", "config.timeout"]);
  assertEquals([gone.code, gone.stdout, gone.stderr], [1, "", "NOT_FOUND\n"]);
  const hostileKeys = ["two words", "a\nFLUSH", "a\rb", "a\tb", ""];
  await Promise.all(hostileKeys.map(async (key, at) => {
    const words = [["SET", key, "x"], ["GET", key], ["DELETE", key]][at % 3];
    const { code, stdout } = await oneoff(words);
    assertEquals([code, stdout], [2, ""], JSON.stringify(words));
  }));
  assertEquals((await oneoff(["EXPLODE"])).code, 2);
  assertEquals((await oneoff([])).code, 2);

  const file = allBytes(300_000);
  assertEquals((await oneoff(["SET", "file"], file)).stdout, "OK\n");
  const { bytes } = await oneoff(["GET", "file"]);
  assert(equal(bytes.subarray(0, -1), file) && bytes.at(-1) === 10, "the file came back another");

  env.BLINK_TOKEN = "wrong";
  const refused = await oneoff(["USAGE"]);
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertStringIncludes(refused.stderr, "authentication");
  env.BLINK_STORE = `127.0.0.1:${freePort()}`;
  assertEquals((await oneoff(["USAGE"])).code, 1);
}

/** Bytes of every value in an order that no text has. */
function allBytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 255);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Paths that try to break out of a request, and the keys under which their values must be. */
const hostilePaths: readonly (readonly [string, string])[] = [
  ["/two%20words", "two%20words"],
  ["/a%0D%0ASET%20injected%20x", "a%0D%0ASET%20injected%20x"],
  ["/a%0AFLUSH", "a%0AFLUSH"],
  ["/nul%00tab%09", "nul%00tab%09"],
  ["/%250A", "%250A"],
  ["/caf%C3%A9%ff", "caf%C3%A9%FF"],
  ["/slash%2Fwithin", "slash/within"],
  ["/%61%62c/ignored?x=y", "abc"],
];

const hostileBodies: readonly string[] = [
  "",
  " blanks around ",
  "line\nFLUSH\n",
  "line\r\nSET injected x\r\nQUIT\r\n",
  "nul \0 and bell \x07",
  "Grüße, 世界 🌍",
  "x b64,ttl=0.001 y",
];

async function backend(language: Language, folder: string): Promise<void> {
  let server = await serve({ tcp: [anyPort] });
  const address = server.addresses[0] as Deno.NetAddr;
  await using web = new Backend(language.fixedPort ?? false, language.command("backend", folder), {
    env: { BLINK_STORE: addressOf(server) },
  });
  try {
    await using store = await connect({ port: address.port });
    await web.listening();
    await answersAsTheGuideSays(web);
    assertEquals(await store.get("greeting"), "hello world");
    await store.flush();
    await keepsHostileDataApart(web);
    const keys: string[] = [];
    for await (const key of store.scan()) keys.push(key);
    assertEquals([...new Set(keys)].sort(), ["body", ...hostilePaths.map(([, key]) => key)].sort());
    await carriesMuch(web);
    await store.close();

    await server.shutdown();
    assertEquals(await web.send("GET", "/greeting"), [502, "Store error"]);
    assertEquals(await web.send("POST", "/greeting", "x"), [502, "Store error"]);
    server = await serve({ tcp: [address], token: "open-sesame" });
    assertEquals(await web.send("GET", "/greeting"), [502, "Store error"]);
    await server.shutdown();
    server = await serve({ tcp: [address] });
    assertEquals(await web.send("GET", "/greeting"), [404, "Not found"]);
    assertEquals(await web.send("POST", "/greeting", "again"), [204, ""]);
    assertEquals(await web.send("GET", "/greeting"), [200, "again"]);
  } finally {
    await server.shutdown();
  }
}

async function answersAsTheGuideSays(web: Backend): Promise<void> {
  assertEquals(await web.send("POST", "/greeting", "hello world"), [204, ""]);
  const found = await web.fetch("GET", "/greeting");
  assertEquals([found.status, await found.text()], [200, "hello world"]);
  assert(found.headers.get("content-type")?.startsWith("text/plain"));
  assertEquals(await web.send("GET", "/nothing"), [404, "Not found"]);
  assertEquals(await web.send("GET", "/"), [400, "Missing key"]);
  assertEquals(await web.send("POST", "/", "x"), [400, "Missing key"]);
  assertEquals(await web.send("PUT", "/greeting", "x"), [405, "Method not allowed"]);
  assertEquals(await web.send("DELETE", "/greeting"), [405, "Method not allowed"]);
  const length = `Content-Length: ${8 * 1024 * 1024 + 1}`;
  const long = `POST /k HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\n`;
  assertStringIncludes(await web.raw(long), "413");
}

async function keepsHostileDataApart(web: Backend): Promise<void> {
  for (const [path] of hostilePaths) {
    assertEquals(await web.send("POST", path, `at ${path}`), [204, ""], path);
  }
  for (const [path] of hostilePaths) {
    assertEquals(await web.send("GET", path), [200, `at ${path}`], path);
  }
  for (const body of hostileBodies) {
    assertEquals(await web.send("POST", "/body", body), [204, ""], JSON.stringify(body));
    assertEquals(await web.send("GET", "/body"), [200, body], JSON.stringify(body));
  }
}

async function carriesMuch(web: Backend): Promise<void> {
  const body = allBytes(1024 * 1024);
  assertEquals(await web.send("POST", "/large", body), [204, ""]);
  const back = new Uint8Array(await (await web.fetch("GET", "/large")).arrayBuffer());
  assert(equal(back, body), "a large value came back another");
  const many = Array.from({ length: 20 }, (_, n) => n);
  await Promise.all(many.map((n) => web.send("POST", `/many-${n}`, `value ${n}`)));
  const values = await Promise.all(many.map((n) => web.send("GET", `/many-${n}`)));
  assertEquals(values, many.map((n) => [200, `value ${n}`]));
}
