/** What a copy shows, and the file from which it goes on. */

import {
  CopyError,
  type CopyResult,
  noCounts,
  renderProgress,
  renderReport,
  ResumeFile,
} from "../copy/mod.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";

const pace = { seconds: 2, seenBefore: 0, isPartial: false };

function progress(seen: number, size: number | undefined, more = {}): string {
  const counts = { ...noCounts, seen, copied: seen };
  return renderProgress({ counts, size }, { ...pace, ...more });
}

Deno.test("copy: the progress is one line of less than 80 columns", () => {
  assertEquals(
    progress(5000, 10_000),
    `${"█".repeat(8)}${" ".repeat(8)}  50 %  5,000 of 10,000  2,500/s  2.0 s left`,
  );
  assertStringIncludes(progress(12_000, 10_000), "100 %", "more keys than at the start");
  assertStringIncludes(progress(0, 10_000, { seconds: 0 }), "0 %  0 of 10,000  0/s");
  assertEquals(progress(7, 0), "copying  7 entries  4/s");
  assertEquals(progress(7, undefined), "copying  7 entries  4/s");
  assertEquals(progress(7, 100, { isPartial: true }), "copying  7 entries  4/s");
  assertStringIncludes(progress(9000, 10_000, { seenBefore: 8000 }), "500/s  2.0 s left");
  const long = progress(1_234_567_890, 9_999_999_999, { seconds: 1e5 });
  assert(long.endsWith(" h left"), long);
  const longest = progress(123_456_789_012, 999_999_999_999, { seconds: 1e6 });
  assert(longest.length < 80, `${longest.length}: ${longest}`);
});

function report(counts: Partial<CopyResult["counts"]>, isDryRun = false): string[] {
  const result: CopyResult = { end: "done", counts: { ...noCounts, ...counts } };
  return renderReport(result, { seconds: 61, isDryRun }).split("\n");
}

Deno.test("copy: the report says what was copied, and all that was not", () => {
  assertEquals(report({ copied: 1, bytes: 1 }), ["1 entry (1 byte) copied in 61 s"]);
  assertEquals(report({ copied: 2000, bytes: 3 * 2 ** 20 }, true), [
    "2,000 entries (3.0 MiB) would be copied",
  ]);
  assertEquals(
    report({
      gone: 2,
      present: 3,
      others: { hash: 1, list: 1200 },
      refused: { "target: \x1b[2JOOM": { count: 2, keys: ['"a"'] } },
    }),
    [
      "0 entries (0 bytes) copied in 61 s; 3 that the target has left alone; " +
      "2 expired or deleted meanwhile",
      "1,201 keys of other types left out: 1 hash, 1,200 list",
      '2 keys refused, target: ?[2JOOM: "a", …',
    ],
  );
});

const id = { from: "redis://a", to: "redis://b", match: undefined };
const state = {
  sourceIdentity: "run/0",
  targetIdentity: "other/0",
  cursor: "42",
  counts: { ...noCounts, seen: 1, refused: { x: { count: 1, keys: ['"k"'] } } },
};

Deno.test("copy: a resume file is kept, replaced and removed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/place`;
    const file = new ResumeFile(path, id);
    assertEquals(await file.load(), undefined);
    await file.remove();
    await file.save({ ...state, cursor: "7" });
    await file.save(state);
    assertEquals(await new ResumeFile(path, { ...id }).load(), state);
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertEquals(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), ["place"]);
    await file.remove();
    assertEquals(await file.load(), undefined);
    await assertRejects(
      () => new ResumeFile(`${folder}/none/place`, id).save(state),
      CopyError,
      "Cannot write",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("copy: a resume file of another copy, or no such file, is refused and kept", async () => {
  const path = await Deno.makeTempFile();
  try {
    await new ResumeFile(path, id).save(state);
    const kept = await Deno.readTextFile(path);
    for (const other of [{ from: "redis://c" }, { to: "redis://c" }, { match: "a*" }]) {
      const file = new ResumeFile(path, { ...id, ...other });
      await assertRejects(() => file.load(), CopyError, "belongs to another copy");
    }
    assertEquals(await Deno.readTextFile(path), kept);
    const broken = ["", "{", "null", "[]", "{}", kept.slice(0, -3)];
    for (
      const [from, into] of [['"format":1', '"format":2'], ['"42"', '"x"'], [
        '"seen":1',
        '"seen":-1',
      ]]
    ) {
      assert(kept.includes(from), from);
      broken.push(kept.replace(from, into));
    }
    for (const text of broken) {
      await Deno.writeTextFile(path, text);
      await assertRejects(() => new ResumeFile(path, id).load(), CopyError, "not a resume file");
    }
  } finally {
    await Deno.remove(path);
  }
});
