/** Tests of what helps while typing: completion, hints, help, history and its search. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { commands, usageOf } from "../commands/mod.ts";
import { complete, completionKeysMax, keyFinder } from "../shell/complete.ts";
import { helpLines, suggestionFor } from "../shell/help.ts";
import { hintFor } from "../shell/hints.ts";
import {
  historyBytesMax,
  historyLineCharsMax,
  historyLinesMax,
  historyPath,
  isKept,
  openHistory,
} from "../shell/history.ts";
import { HistorySearch } from "../shell/history_search.ts";
import type { ShellStore } from "../shell/mod.ts";

const keys = (prefix: string) => Promise.resolve([`${prefix}1`, `${prefix}2`]);

async function candidates(line: string): Promise<string[]> {
  return (await complete(line, keys))[0];
}

Deno.test("completion: commands, in the case in which they are typed", async () => {
  assertEquals(await candidates("G"), ["GET "]);
  assertEquals(await candidates("ge"), ["get "]);
  assertEquals(await candidates("de"), ["delete ", "del "]);
  assertEquals(await candidates("Us"), ["USAGE"]);
  assertEquals((await candidates("")).length, commands.length + 2);
  assertEquals(await candidates("X"), []);
  assertEquals(await candidates("help p"), ["put ", "ping"]);
});

Deno.test("completion: keys where a key stands, options where options stand", async () => {
  assertEquals(await complete("GET us", keys), [["us1", "us2"], "us"]);
  assertEquals(await complete("  mget a b us", keys), [["us1", "us2"], "us"]);
  assertEquals(await candidates("SCAN 0 10 p"), ["p1", "p2"]);
  assertEquals(await candidates("FLUSH "), ["1", "2"]);
  assertEquals(await candidates("PUT k "), [
    "ttl=",
    "keepttl",
    "b64",
    "bytes=",
    "absent",
    "present",
    "match=",
  ]);
  assertEquals(await complete("PUT k ttl=5,a", keys), [["ttl=5,absent"], "ttl=5,a"]);
  assertEquals(await candidates("EXPIRE k n"), ["never "]);
});

Deno.test("completion: nothing inside a value, behind the last argument or after a wrong verb", async () => {
  for (const line of ["SET k v", "SET k some words", "PUT k - v", "TTL a b", "NOPE a", "PING "]) {
    assertEquals(await candidates(line), [], line);
  }
});

Deno.test("completion of keys is bounded, and offers none that a terminal must not get", async () => {
  const lines: string[] = [];
  const store: ShellStore = {
    request: (line) => {
      lines.push(String(line));
      const page = Array.from({ length: 30 }, (_, index) => `k${lines.length}:${index}`);
      return Promise.resolve(`KEYS ${lines.length} ${page.join(" ")} bad\x1b[2J "YSBi"`);
    },
    close: () => {},
  };
  const found = await keyFinder(store)("k");
  assertEquals(found.length, completionKeysMax);
  assertEquals(lines, ["SCAN 0 1000 k", "SCAN 1 1000 k", "SCAN 2 1000 k", "SCAN 3 1000 k"]);
  assert(!found.some((key) => key.includes("\x1b")));
  assert(!found.some((key) => /["b]/.test(key)), "no line can name the key a b");
});

Deno.test("completion finds no keys, and soon, where the store cannot list them or is silent", async () => {
  const answering = (reply: Promise<string>): ShellStore => ({
    request: (_, options) => {
      const aborted = new Promise<string>((_, reject) => {
        options?.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      });
      return Promise.race([reply, aborted]);
    },
    close: () => {},
  });
  assertEquals(await keyFinder(answering(Promise.resolve("ERROR unknown command")))("k"), []);
  assertEquals(await keyFinder(answering(Promise.reject(new Error("lost"))))("k"), []);
  assertEquals(await keyFinder(answering(new Promise(() => {})))("k"), []);
});

Deno.test("hints show the arguments that are still missing", () => {
  for (
    const [line, hint] of [
      ["", ""],
      ["GE", ""],
      ["get", " key [ttl=S]"],
      ["GET ", "key [ttl=S]"],
      ["GET k", " [ttl=S]"],
      ["GET k ", "[ttl=S]"],
      ["GET k ttl=5", ""],
      ["SET k", " [value]"],
      ["SET k ", "[value]"],
      ["SET k some words ", ""],
      ["PUT k ", "options [value]   (ttl= keepttl b64 bytes= absent present match= or -)"],
      ["PUT k -", " [value]"],
      ["MGET a b", " [key ...]"],
      ["SCAN 0", " [count] [prefix]"],
      ["PING", ""],
      ["PING x", ""],
      ["nonsense x", ""],
    ]
  ) assertEquals(hintFor(line), hint, line);
});

Deno.test("a command's hint is the rest of its usage line", () => {
  for (const command of commands) {
    assertEquals(command.verb + hintFor(command.verb), usageOf(command));
  }
});

Deno.test("help lists every command of the table, and explains one", () => {
  const overview = helpLines().join("\n");
  for (const command of commands) {
    assertStringIncludes(overview, usageOf(command));
    const detail = helpLines(command.verb.toLowerCase()).join("\n");
    for (const reply of command.replies) assertStringIncludes(detail, reply);
  }
  assertEquals(helpLines("gte"), ['No command "gte": did you mean GET?']);
  assert(overview.split("\n").length < 24, "help fits a screen");
});

Deno.test("help shows each option with its meaning, and an example", () => {
  assertEquals(helpLines("del"), [
    "DELETE key [match=BASE64]",
    "  remove a key; with match= only if its value is this one",
    "  also: DEL",
    "  options:",
    "    match=  only if its value is this one, in base64, else CONFLICT",
    "  example: DELETE lock match=bWU=",
    "  replies: OK | NOT_FOUND | CONFLICT",
  ]);
  for (const { verb, example } of commands) {
    assert(helpLines(verb).some((line) => line.includes(example)), verb);
  }
});

Deno.test("a mistyped verb is recognized, another word is not", () => {
  assertEquals(suggestionFor("DELTE"), "DELETE");
  assertEquals(suggestionFor("incrr"), "INCR");
  assertEquals(suggestionFor("x"), undefined);
  assertEquals(suggestionFor("GTE"), "GET");
  assertEquals(suggestionFor("nonsense"), undefined);
  assertEquals(suggestionFor("x".repeat(1000)), undefined);
});

async function inFolder(test: (path: string) => void | Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/history`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("history: lines of several sessions are all kept, for the owner only", async () => {
  await inFolder((path) => {
    const one = openHistory(path);
    const other = openHistory(path);
    one.add("GET a");
    other.add("GET b");
    one.add("GET c");
    assertEquals(openHistory(path).lines, ["GET a", "GET b", "GET c"]);
    if (Deno.build.os !== "windows") {
      assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
      Deno.chmodSync(path, 0o644);
      openHistory(path);
      assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    }
  });
});

Deno.test("history: secrets, private lines and data are not kept", async () => {
  for (const line of ["AUTH secret", "auth\tsecret", " GET a", "", "\tGET a", "GET \x1b[2J"]) {
    assert(!isKept(line), JSON.stringify(line));
  }
  assert(isKept("x".repeat(historyLineCharsMax)) && !isKept("x".repeat(historyLineCharsMax + 1)));
  await inFolder((path) => {
    const history = openHistory(path);
    history.add("AUTH secret");
    history.add("GET a");
    assertEquals(Deno.readTextFileSync(path), "GET a\n");
  });
});

Deno.test("history: the file is shortened once it is too large", async () => {
  await inFolder((path) => {
    const line = `SET k ${"v".repeat(1000)}`;
    const count = Math.ceil(historyBytesMax / line.length) + 1;
    Deno.writeTextFileSync(path, `${line}\n`.repeat(count) + "GET last\n");
    const { lines } = openHistory(path);
    assertEquals([lines.length, lines.at(-1)], [historyLinesMax, "GET last"]);
    assert(lines.slice(0, -1).every((kept) => kept === line));
    assertEquals(Deno.readTextFileSync(path), lines.map((kept) => kept + "\n").join(""));
  });
});

Deno.test("history: the environment says where it is kept, or that it is not", () => {
  const path = (env: Record<string, string>) => historyPath((name) => env[name]);
  assertEquals(path({ HOME: "/home/a" }), "/home/a/.blink_history");
  assertEquals(path({ HOME: "/home/a", BLINK_HISTORY: "" }), undefined);
  assertEquals(path({ HOME: "/home/a", BLINK_HISTORY: "/x/h" }), "/x/h");
  assertEquals(path({}), undefined);
  // A device is not a history, and its mode stays as it is.
  if (Deno.build.os !== "windows") {
    const before = Deno.statSync("/dev/null").mode;
    openHistory("/dev/null").add("GET a");
    assertEquals(Deno.statSync("/dev/null").mode, before);
  }
});

Deno.test("search in the history: from the newest on, Ctrl-R goes to an older one", () => {
  const history = ["GET b2", "SET a 1", "GET b1"];
  const search = new HistorySearch(history, "typed");
  assertEquals(search.type("\x12"), undefined);
  assertEquals(search.shown(80), "(search: ) ");
  search.type("G");
  search.type("E");
  assertEquals(search.shown(80), "(search: GE) GET b2");
  search.type("\x12");
  assertEquals(search.shown(80), "(search: GE) GET b1");
  search.type("x");
  assertMatch(search.shown(80), /^\(search, not found: GEx\)/);
  search.type("\x7f");
  assertEquals(search.shown(80), "(search: GE) GET b2");
  assertEquals(search.shown(15), "(search: GE) G");
  assertEquals(search.type("\r"), { line: "GET b2", key: "\r" });
  const left = new HistorySearch(history, "typed");
  left.type("\x12");
  left.type("SET");
  assertEquals(left.type("\x07"), { line: "typed", key: "" });
});
