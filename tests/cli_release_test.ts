import { assert, assertEquals, assertRejects, assertThrows } from "./assert.ts";
import config from "../deno.json" with { type: "json" };
import { compileWords, denoVersion, release, wordsOf } from "../scripts/compile_all.ts";
import { executableType, targets } from "../scripts/targets.ts";
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

/** The first bytes of an executable of each target. */
function headOf(triple: string): Uint8Array {
  const head = new Uint8Array(256);
  switch (triple) {
    case "x86_64-unknown-linux-gnu":
    case "aarch64-unknown-linux-gnu":
      head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
      head[18] = triple.startsWith("x86_64") ? 0x3e : 0xb7;
      break;
    case "x86_64-apple-darwin":
    case "aarch64-apple-darwin":
      head.set([0xcf, 0xfa, 0xed, 0xfe, triple.startsWith("x86_64") ? 7 : 12, 0, 0, 1]);
      break;
    case "x86_64-pc-windows-msvc":
      head.set([0x4d, 0x5a]);
      head[0x3c] = 0x80;
      head.set([0x50, 0x45, 0, 0, 0x64, 0x86], 0x80);
      break;
    default:
      throw new Error(`No head for ${triple}`);
  }
  return head;
}

Deno.test("the type of an executable is read from its first bytes", async () => {
  for (const { triple, type } of targets) assertEquals(executableType(headOf(triple)), type);
  assertEquals(new Set(targets.map(({ type }) => type)).size, targets.length);
  const windows = headOf("x86_64-pc-windows-msvc");
  windows[0x84] = 0x4c; // the 32-bit processor
  assertEquals(executableType(windows), undefined);
  assertEquals(executableType(windows.subarray(0, 2)), undefined);
  assertEquals(executableType(new Uint8Array(0)), undefined);
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") return;
  using deno = await Deno.open(Deno.execPath());
  const head = new Uint8Array(256);
  await deno.read(head);
  assertEquals(executableType(head), "ELF x64");
});

Deno.test("a release has the permissions of the compile task, and its own file name", () => {
  const words = compileWords(config.tasks.compile.command, targets[1], "out/file");
  const rights = (text: readonly string[]) => text.filter((word) => word.startsWith("--allow-"));
  assertEquals(rights(words), rights(wordsOf(config.tasks.compile.command)));
  assert(words.join(" ").includes("--target aarch64-unknown-linux-gnu --output out/file "));
  assertEquals(words.filter((word) => word === "--output").length, 1);
  assertEquals(words.at(-1), "main.ts");
  assertThrows(() => compileWords("deno run main.ts", targets[1], "x"), Error, "Cannot compile");
});

/** A program in place of Deno: its "executable" is the file of the target's name beside it. */
const compiler = `#!/bin/sh
while [ "$1" != --target ]; do shift; done
case $2 in
  *windows*) WINDOWS ;;
  *) cat "\${0%/*}/$2" ;;
esac > "$4"
`;

Deno.test({
  name: "a release is whole, with its sums, or it is not there",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const deno = `${folder}/deno`;
    for (const { triple } of targets) {
      await Deno.writeFile(`${folder}/${triple}`, headOf(triple));
    }
    const make = async (windows: string) => {
      await Deno.writeTextFile(deno, compiler.replace("WINDOWS", windows), { mode: 0o755 });
      await release(`${folder}/dist/release`, deno);
    };
    const files = async () => (await Array.fromAsync(Deno.readDir(`${folder}/dist`))).length;
    try {
      const unreachable = "echo 'error: no runtime' >&2; echo >&2; echo 'Caused by:' >&2; exit 1";
      await assertRejects(() => make(unreachable), Error, "Cannot compile blink-store-windows-x64");
      assertEquals(await files(), 0);
      await assertRejects(() => make("printf MZ"), Error, "no executable, not PE x64");
      assertEquals(await files(), 0);
      await make('cat "${0%/*}/$2"');
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

Deno.test("the README, the guides and CI agree on the oldest Deno", async () => {
  const read = (file: string) => Deno.readTextFile(new URL(file, root));
  const [, oldest] = /with Deno ([\d.]+) or later/.exec(await read("README.md")) ?? [];
  assert(oldest !== undefined);
  assert((await read(".ci/run")).includes(`"types on Deno ${oldest}"`));
  assert(
    (await read("docs/guides/deno.md")).replaceAll("\n", " ").includes(`Deno ${oldest} or later`),
  );
  assert((await read("examples/README.md")).includes(`| Deno ${oldest} `));
});
