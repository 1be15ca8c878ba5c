import { assert, assertEquals, assertRejects, assertThrows } from "./assert.ts";
import config from "../deno.json" with { type: "json" };
import {
  compileWords,
  denoVersion,
  isFor,
  release,
  targets,
  wordsOf,
} from "../scripts/compile_all.ts";
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
  assertEquals(rights(words), rights(wordsOf(config.tasks.compile.command)));
  assert(words.join(" ").includes("--target aarch64-unknown-linux-gnu --output out/file "));
  assertEquals(words.filter((word) => word === "--output").length, 1);
  assertEquals(words.at(-1), "main.ts");
  assertThrows(() => compileWords("deno run main.ts", targets[1], "x"), Error, "Cannot compile");
});

/** A program in place of Deno: "compiles" what a target's executable begins with. */
const compiler = `#!/bin/sh
while [ "$1" != --target ]; do shift; done
case $2 in
  x86_64-unknown-linux-gnu) printf '\\177ELF12345678901234\\076\\000' ;;
  aarch64-unknown-linux-gnu) printf '\\177ELF12345678901234\\267\\000' ;;
  x86_64-apple-darwin) printf '\\317\\372\\355\\376\\007\\000\\000\\001' ;;
  aarch64-apple-darwin) printf '\\317\\372\\355\\376\\014\\000\\000\\001' ;;
  *) WINDOWS ;;
esac > "$4"
`;

Deno.test({
  name: "a release is whole, with its sums, or it is not there",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const deno = `${folder}/deno`;
    const make = async (windows: string) => {
      await Deno.writeTextFile(deno, compiler.replace("WINDOWS", windows), { mode: 0o755 });
      await release(`${folder}/dist/release`, deno);
    };
    const files = async () => (await Array.fromAsync(Deno.readDir(`${folder}/dist`))).length;
    try {
      const unreachable = "echo 'error: no runtime' >&2; echo >&2; echo 'Caused by:' >&2; exit 1";
      await assertRejects(() => make(unreachable), Error, "Cannot compile blink-store-windows-x64");
      assertEquals(await files(), 0);
      await assertRejects(() => make("printf ELF"), Error, "it is for another system");
      assertEquals(await files(), 0);
      await make("printf MZ");
      await assertRejects(() => make(unreachable), Error, "error: no runtime");
      assertEquals(await files(), 1);
      const made = `${folder}/dist/release`;
      const sums = (await Deno.readTextFile(`${made}/SHA256SUMS`)).trim().split("\n");
      assertEquals(sums.length, targets.length);
      for (const line of sums) {
        const [sum, name] = line.split("  ");
        const digest = await crypto.subtle.digest(
          "SHA-256",
          await Deno.readFile(`${made}/${name}`),
        );
        const hex = Array.from(
          new Uint8Array(digest),
          (byte) => byte.toString(16).padStart(2, "0"),
        );
        assertEquals(hex.join(""), sum, name);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("the README and CI name the Deno that releases are compiled with", async () => {
  for (const file of ["README.md", ".ci/run"]) {
    const text = await Deno.readTextFile(new URL(file, root));
    assert(text.includes(`npx -y deno@${denoVersion}`), file);
  }
});
