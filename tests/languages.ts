/**
 * The languages that have example programs and a guide: what must be installed, and how their
 * programs are built and started.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { examples, type Language, run } from "./examples.ts";

const deno = Deno.execPath();

async function succeed(command: string[], env: Record<string, string> = {}): Promise<void> {
  const { code, stderr } = await run(command, { env });
  assertEquals(code, 0, stderr);
}

/** Each language, under the name of its guide and of its folder of examples. */
export const languages = {
  python: {
    name: "python",
    needs: [["python3", "--version"]],
    command: (program) => ["python3", "-B", `${examples}python/${program}.py`],
  },
  node: {
    name: "node",
    needs: [["node", "--version"]],
    command: (program) => ["node", `${examples}node/${program}.mjs`],
  },
  go: {
    name: "go",
    needs: [["go", "version"]],
    build: (folder) =>
      succeed(
        [
          "go",
          "build",
          "-C",
          `${examples}go`,
          "-o",
          `${folder}/`,
          "./client",
          "./oneoff",
          "./backend",
        ],
        { GOPROXY: "off", GOWORK: "off", GOTOOLCHAIN: "local" },
      ),
    command: (program, folder) => [`${folder}/${program}`],
  },
  rust: {
    name: "rust",
    needs: [["rustc", "--version"]],
    build: async (folder) => {
      const flags = ["--edition", "2021", "-D", "warnings", "--out-dir", folder];
      await Promise.all(["client", "oneoff", "backend"].map(async (program) => {
        await succeed(["rustc", ...flags, `${examples}rust/${program}.rs`]);
      }));
    },
    command: (program, folder) => [`${folder}/${program}`],
  },
  shell: {
    name: "shell",
    needs: [["bash", "--version"], ["socat", "-V"], ["base64", "--version"]],
    command: (program) => ["bash", `${examples}shell/${program}.sh`],
    fixedPort: true,
  },
  deno: {
    name: "deno",
    needs: [[deno, "--version"]],
    command: (program) => [
      deno,
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      "--allow-env",
      `${examples}deno/${program}.ts`,
    ],
  },
} as const satisfies Record<string, Language>;
