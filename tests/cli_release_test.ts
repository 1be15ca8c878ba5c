import { assert, assertEquals, assertThrows } from "./assert.ts";
import config from "../deno.json" with { type: "json" };
import { compileWords, denoVersion, isFor, targets } from "../scripts/compile_all.ts";
import { root } from "./command_line.ts";

Deno.test("a release is for Linux and macOS on two processors, and for Windows", () => {
  assertEquals(targets.map(({ triple }) => triple).sort(), [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-gnu",
  ]);
});

Deno.test("an executable is told by its first bytes, and taken for no other target", () => {
  const heads = targets.map(({ signature }) => {
    const head = new Uint8Array(64);
    for (const [offset, bytes] of signature) head.set(bytes, offset);
    return head;
  });
  targets.forEach((target, at) => {
    heads.forEach((head, other) => assertEquals(isFor(target, head), at === other, target.name));
  });
  assertEquals(isFor(targets[0], new Uint8Array(0)), false);
});

Deno.test("a release has the rights of the compile task, and a name of its own", () => {
  const words = compileWords(config.tasks.compile.command, targets[1], "out/file");
  const rights = (text: readonly string[]) => text.filter((word) => word.startsWith("--allow-"));
  assertEquals(rights(words), rights(config.tasks.compile.command.split(" ")));
  assert(words.join(" ").includes("--target aarch64-unknown-linux-gnu --output out/file "));
  assertEquals(words.filter((word) => word === "--output").length, 1);
  assertEquals(words.at(-1), "main.ts");
  assertThrows(() => compileWords("deno run main.ts", targets[1], "x"), Error, "Cannot compile");
});

Deno.test("the README and CI name the Deno that releases are compiled with", async () => {
  for (const file of ["README.md", ".ci/run"]) {
    const text = await Deno.readTextFile(new URL(file, root));
    assert(text.includes(`npx -y deno@${denoVersion}`), file);
  }
});
