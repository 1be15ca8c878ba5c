/**
 * Tests of what each subcommand loads: a server starts without the client's code, and the other way
 * round.
 */
import { assert, assertEquals } from "./assert.ts";
import { root } from "./command_line.ts";

/** Everything that is loaded with a file, by its static imports. */
async function allLoadedWith(path: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", path],
    cwd: root,
  }).output();
  const { modules, roots } = JSON.parse(new TextDecoder().decode(stdout)) as {
    roots: string[];
    modules: {
      specifier: string;
      dependencies?: { isDynamic?: boolean; code?: { specifier: string } }[];
    }[];
  };
  const graph = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set(roots);
  for (const specifier of loaded) {
    for (const { isDynamic, code } of graph.get(specifier)?.dependencies ?? []) {
      if (!isDynamic && code !== undefined) loaded.add(code.specifier);
    }
  }
  return [...loaded];
}

/** The files of the program that are loaded with a file. */
async function loadedWith(path: string): Promise<string[]> {
  const folder = root.href;
  return (await allLoadedWith(path)).filter((file) => file.startsWith(folder))
    .map((file) => file.slice(folder.length));
}

/** The first part of each path that is a room of the program. */
async function roomsOf(path: string): Promise<Set<string>> {
  return new Set((await loadedWith(path)).map((file) => file.split("/")[0].replace(/\.ts$/, "")));
}

Deno.test("serve loads the server and the store, not the client, its shell or the bench", async () => {
  const rooms = await roomsOf("cli/serve.ts");
  assert(rooms.has("server") && rooms.has("store"), [...rooms].join(" "));
  for (const room of ["client", "shell", "bench", "loadgen"]) assert(!rooms.has(room), room);
});

Deno.test("client loads the client and its shell, not the server, the store or the bench", async () => {
  const rooms = await roomsOf("cli/client.ts");
  assert(rooms.has("client") && rooms.has("shell"), [...rooms].join(" "));
  for (const room of ["server", "engine", "store", "bench", "loadgen"]) {
    assert(!rooms.has(room), room);
  }
});

Deno.test("copy loads its room alone, and the client for Redis only to connect", async () => {
  const rooms = await roomsOf("cli/copy.ts");
  assert(rooms.has("copy"), [...rooms].join(" "));
  for (const room of ["server", "store", "client", "shell", "loadgen"]) {
    assert(!rooms.has(room), room);
  }
  const packages = (await allLoadedWith("cli/copy.ts")).filter((file) => file.startsWith("npm:"));
  assert(packages.length > 0 && !packages.some((name) => name.includes("ioredis")), `${packages}`);
});

Deno.test("the overview loads no table of flags, and main.ts next to nothing", async () => {
  const overview = await loadedWith("cli/help.ts");
  assertEquals(overview.filter((file) => !file.startsWith("cli/")), ["version.ts", "deno.json"]);
  assertEquals(overview.filter((file) => file.startsWith("cli/options/")), []);
  assertEquals(await loadedWith("main.ts"), ["main.ts", "cli/usage_error.ts"]);
});
