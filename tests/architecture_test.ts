/**
 * Holds the structure that docs/architecture.md describes: rooms have one door, doors only
 * re-export, a room imports only what it may, and no file imports in a circle. It reads the import
 * lines of every file.
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";

const root = new URL("../", import.meta.url);

/** What each room of the program may import, besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  cli: ["server", "protocol", "commands", "store", "journal", "client", "shell", "loadgen", "copy"],
  server: ["commands", "protocol", "store", "journal"],
  journal: ["store"],
  commands: ["protocol", "store"],
  protocol: [],
  store: [],
  client: ["protocol"],
  shell: ["client", "protocol", "commands", "loadgen"],
  loadgen: ["client", "protocol"],
  copy: [],
};

/** Rooms whose door is a file at the top, since users import these by name. */
const topDoors = ["server", "protocol", "store", "client"];

/** Not part of the program: they may import every door. */
const outside = ["bench", "scripts", "tests", "examples"];

/** Where every room may look: the version, the C library, the hash, the clock, the standard library's types. */
const commons = ["version.ts", "c_library.ts", "hash.ts", "wall_clock.ts", "types/std.d.ts"];

async function sourceFiles(folder = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder || "./", root))) {
    if (name.startsWith(".") || ["node_modules", "dist", "docs", "coverage"].includes(name)) {
      continue;
    }
    if (isDirectory) files.push(...await sourceFiles(`${folder}${name}/`));
    else if (name.endsWith(".ts")) files.push(folder + name);
  }
  return files.sort();
}

/** The room of a file: its folder, or for a file at the top the room that it is the door of. */
function roomOf(file: string): string {
  const [first, ...rest] = file.split("/");
  return rest.length > 0 ? first : first === "main.ts" ? "cli" : first.replace(/\.ts$/, "");
}

function doorOf(room: string): string {
  return topDoors.includes(room) ? `${room}.ts` : `${room}/mod.ts`;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

const aliases: Readonly<Record<string, string>> = {
  "@blink/store/protocol": "protocol.ts",
  "@blink/store/client": "client.ts",
  "@blink/store/server": "server.ts",
};

/** The project's own files that a file imports, or re-exports. */
function importsOf(file: string, text: string): string[] {
  const specifiers = withoutComments(text).matchAll(
    /(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"\n]+)"/g,
  );
  return [...specifiers].flatMap(([, specifier]) => {
    if (specifier in aliases) return [aliases[specifier]];
    if (!specifier.startsWith(".")) return [];
    const path = new URL(specifier, new URL(file, root)).href.slice(root.href.length);
    return path.endsWith(".ts") ? [path] : [];
  });
}

const files = await sourceFiles();
const texts = new Map(
  await Promise.all(
    files.map(async (file) => [file, await Deno.readTextFile(new URL(file, root))] as const),
  ),
);
const imports = new Map([...texts].map(([file, text]) => [file, importsOf(file, text)]));

/**
 * `tests/store_limit_test.ts` may look inside the store's room, and so may what it is made with.
 */
function mayLookInside(file: string, room: string): boolean {
  return file.startsWith(`tests/${room}_`);
}

Deno.test("architecture: this test reads the imports", () => {
  assert(files.length > 150, `${files.length} files`);
  assert(imports.get("server/session.ts")?.includes("commands/mod.ts"));
  assert(imports.get("main.ts")?.some((file) => file.startsWith("cli/")), "dynamic imports count");
  assertEquals(importsOf("a/b.ts", 'import { x } from "./c.ts"; // from "./d.ts"'), [
    "a/c.ts",
    "a/d.ts",
  ]);
  assertEquals(importsOf("a/b.ts", '/* from "./c.ts" */ export * from "../store.ts";'), [
    "store.ts",
  ]);
  assertEquals(importsOf("a/b.ts", 'import("@blink/store/client")'), ["client.ts"]);
});

Deno.test("architecture: a file outside a room imports the room's door", () => {
  const wrong: string[] = [];
  for (const [file, imported] of imports) {
    for (const other of imported) {
      const room = roomOf(other);
      // Each script is a program of its own, which nothing but its test imports.
      if (room === "scripts" || commons.includes(other) || roomOf(file) === room) continue;
      if (other === doorOf(room)) continue;
      if (!mayLookInside(file, room)) wrong.push(`${file} imports ${other}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("architecture: a room imports only what it may", () => {
  const wrong: string[] = [];
  for (const [file, imported] of imports) {
    const room = roomOf(file);
    if (outside.includes(room) || commons.includes(file)) continue;
    assert(room in mayImport, `${file} is in no room of the program`);
    for (const other of imported) {
      const otherRoom = roomOf(other);
      if (commons.includes(other) || otherRoom === room) continue;
      if (!mayImport[room].includes(otherRoom)) wrong.push(`${file} imports ${other}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("architecture: doors only re-export", () => {
  for (const room of Object.keys(mayImport)) {
    const door = doorOf(room);
    if (!texts.has(door)) {
      assertEquals(room, "cli", `${room} has no door`);
      continue;
    }
    const rest = withoutComments(texts.get(door) ?? "").replace(
      /export\s+(?:type\s+)?(?:\*|\{[^}]*\})\s+from\s+"[^"]+";/g,
      "",
    );
    assertEquals(rest.trim(), "", `${door} does more than re-export`);
  }
});

Deno.test("architecture: no file imports in a circle", () => {
  const circles: string[] = [];
  const isDone = new Set<string>();
  const visit = (file: string, way: readonly string[]) => {
    const start = way.indexOf(file);
    if (start >= 0) {
      circles.push([...way.slice(start), file].join(" -> "));
      return;
    }
    if (isDone.has(file)) return;
    for (const other of imports.get(file) ?? []) visit(other, [...way, file]);
    isDone.add(file);
  };
  for (const file of files) visit(file, []);
  assertEquals(circles, []);
});
