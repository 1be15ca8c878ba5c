import { Batches, type DialectName } from "../bench/generator_batches.ts";
import type { GeneratorOptions, GeneratorResult } from "../bench/generator.ts";
import { deadline } from "@std/async/deadline";
import { type Io, serve } from "../server.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";

const isLinux = Deno.build.os === "linux";
const keys = 1000;
const waitMs = 60_000;

const load = {
  dialect: "blink",
  connections: 3,
  pipeline: 4,
  keys,
  valueBytes: 64,
  warmUpSeconds: 0.02,
  seconds: 0.1,
} as const;

// The C library stays open once it is loaded, so a test must not be the first to load it: older
// runtimes count that as a leak.
if (isLinux) {
  await using _ = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }], io: "epoll" });
}

async function generate(
  options: Partial<GeneratorOptions> & { port: number },
  permissions = ["--allow-ffi"],
): Promise<{ result?: GeneratorResult; error: string }> {
  const script = new URL("../bench/generator.ts", import.meta.url).pathname;
  const args = ["run", "--quiet", "--no-check", "--no-prompt", ...permissions, script];
  const { success, stdout, stderr } = await deadline(
    new Deno.Command(Deno.execPath(), { args: [...args, JSON.stringify({ ...load, ...options })] })
      .output(),
    waitMs,
  );
  const error = new TextDecoder().decode(stderr).trim();
  return success ? { result: JSON.parse(new TextDecoder().decode(stdout)), error } : { error };
}

/** Answers every read with what `reply` makes of it; undefined closes. */
function fakeServer(reply: (request: string) => Promise<string> | string | undefined) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const sockets: Deno.Conn[] = [];
  const answer = async (socket: Deno.Conn) => {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let count; (count = await socket.read(buffer)) !== null;) {
        const text = await reply(new TextDecoder().decode(buffer.subarray(0, count)));
        if (text === undefined) break;
        await socket.write(new TextEncoder().encode(text));
      }
      socket.close();
    } catch {
      // The generator, or the end of the test, closed it.
    }
  };
  const accepting = (async () => {
    for await (const socket of listener) {
      sockets.push(socket);
      answer(socket);
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const socket of sockets) {
        try {
          socket.close();
        } catch {
          // Already closed.
        }
      }
      await accepting;
    },
  };
}

for (const io of ["portable", "epoll"] satisfies Io[]) {
  Deno.test({
    name: `the generator measures a server over the ${io} loop`,
    ignore: !isLinux,
    async fn() {
      const tcp = [{ hostname: "127.0.0.1", port: 0 }];
      await using server = await serve({ tcp, io });
      const [address] = server.addresses;
      assert(address.transport === "tcp");
      const { result, error } = await generate({
        port: address.port,
        fill: true,
        idleBetween: 1,
        pid: Deno.pid,
      });
      assertEquals(error, "");
      const info = server.info();
      // Each key was set once before, and holds 16 + 64 bytes.
      assertEquals(info.bytes.data, keys * 80);
      assertEquals(info.misses, 0);
      assertEquals(info.connections.total, 2 * load.connections);
      const { requests, requestsPerSecond, latencyMs, serverCpuUs, generatorCpuUs } = result!;
      assert(requests > 0 && requests <= info.requests.GET + info.requests.SET - keys, error);
      const share = info.requests.GET / (info.requests.GET + info.requests.SET - keys);
      assert(Math.abs(share - 0.8) < 0.05, `${share} of the requests are GET`);
      assert(requestsPerSecond >= requests, "in a tenth of a second");
      assert(latencyMs.p50 > 0 && latencyMs.p50 <= latencyMs.max);
      assert(serverCpuUs > 0 && generatorCpuUs > 0);
    },
  });
}

Deno.test("batches have the requests of each protocol, and the replies that they must get", () => {
  const value = "key:000000000000key:000";
  const expected: Record<DialectName, [string, string]> = {
    blink: [`SET key:000000000000 ${value}\n`, "OK\n"],
    redis: [`*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$23\r\n${value}\r\n`, "+OK\r\n"],
    memcached: [`set key:000000000000 0 0 23\r\n${value}\r\n`, "STORED\r\n"],
  };
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  for (const [name, [request, reply]] of Object.entries(expected)) {
    const dialect = name as DialectName;
    const options = { dialect, pipeline: 2, keys: 3, valueBytes: value.length };
    const filling = Batches.filling(options);
    assertEquals([...filling.sizes], [2, 1], "the last batch has the rest");
    assertStringIncludes(text(filling.requests[0]), request);
    assertEquals(text(filling.replies(0)), reply + reply);
    const mixed = Batches.mixed({ ...options, keys: 1 });
    for (let batch = 0; batch < 50; batch++) {
      assertEquals(mixed.replies(batch).length, mixed.replyBytes[batch]);
    }
  }
  const ofOneKey = { pipeline: 1, keys: 1, valueBytes: value.length };
  const found = (dialect: DialectName) => {
    const batches = Batches.mixed({ ...ofOneKey, dialect });
    const get = batches.requests.findIndex((request) => /^GET|^get|GET\r/.test(text(request)));
    return text(batches.replies(get));
  };
  assertEquals(found("blink"), `VALUE ${btoa(value)}\n`);
  assertEquals(found("redis"), `$23\r\n${value}\r\n`);
  assertEquals(found("memcached"), `VALUE key:000000000000 0 23\r\n${value}\r\nEND\r\n`);
});

Deno.test("SET alone never sets a key to the value that it has, however often batches repeat", () => {
  const options = { dialect: "blink", pipeline: 1, keys: 100_000, valueBytes: 64 } as const;
  const { requests } = Batches.mixed({ ...options, only: "set", firstKey: 100_000 });
  const held = new Map<string, string>();
  let same = 0;
  for (const request of [...requests, ...requests]) {
    const [verb, key, value] = new TextDecoder().decode(request).trim().split(" ");
    assertEquals(verb, "SET");
    assert(key >= "key:000000100000" && key < "key:000000200000", key);
    if (held.get(key) === value) same++;
    held.set(key, value);
  }
  assertEquals(same, 0);
});

Deno.test({
  name: "the generator keeps a rate, and a batch that is late counts from when it was due",
  ignore: !isLinux,
  async fn() {
    let asked = 0;
    await using quick = fakeServer((request) => {
      asked += request.split("\n").length - 1;
      return "OK\n";
    });
    const paced = { pipeline: 1, only: "set", seconds: 0.5, requestsPerSecond: 60 } as const;
    const { result, error } = await generate({ ...paced, port: quick.port });
    assertEquals(error, "");
    // 0.52 s of 60 a second; without the bound there would be thousands.
    assert(asked > 0 && asked <= 35, `${asked} requests`);
    assert(result!.requestsPerSecond <= 70, `${result!.requestsPerSecond} a second`);
    assert(result!.endedAtMs - result!.beganAtMs >= 500);
    // One connection that gets a reply each 20 ms, asked for one each millisecond: it falls behind.
    await using slow = fakeServer(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return "OK\n";
    });
    const behind = { ...paced, connections: 1, requestsPerSecond: 1000, port: slow.port };
    const { latencyMs } = (await generate(behind)).result!;
    assert(latencyMs.max > 200, `${latencyMs.max} ms`);
  },
});

Deno.test({
  name: "the generator fails on a reply of the right length with wrong content",
  ignore: !isLinux,
  async fn() {
    const wrong = `VALUE ${btoa("x".repeat(64))}\n`;
    await using server = fakeServer((request) =>
      request.replaceAll(/GET .*\n/g, wrong).replaceAll(/SET .*\n/g, "OK\n")
    );
    assertStringIncludes((await generate({ port: server.port })).error, "a wrong reply");
  },
});

Deno.test({
  name: "the generator compares some batches after the first ones too",
  ignore: !isLinux,
  async fn() {
    let answered = 0;
    await using server = fakeServer((request) =>
      request.split("\n").slice(0, -1).map((line) => {
        const [verb, key] = line.split(" ");
        if (verb === "SET") return "OK\n";
        const value = ++answered < 50 ? key.repeat(4) : "x".repeat(64);
        return `VALUE ${btoa(value)}\n`;
      }).join("")
    );
    const { error } = await generate({ port: server.port, pipeline: 1, seconds: 30 });
    assertStringIncludes(error, "a wrong reply");
    assert(answered > 50 && answered < 5000, `${answered} replies`);
  },
});

Deno.test({
  name: "the generator fails on an error that stands for a reply, and shows it",
  ignore: !isLinux,
  async fn() {
    await using server = fakeServer(() => "ERROR out of order\n");
    assertStringIncludes((await generate({ port: server.port })).error, "ERROR out of order");
  },
});

Deno.test({
  name: "the generator does not wait for ever, nor for a connection that is closed",
  ignore: !isLinux,
  async fn() {
    await using silent = fakeServer(() => "");
    const { error } = await generate({ port: silent.port, patienceMs: 200 });
    assertStringIncludes(error, "no reply in 200 ms on 3 of 3 connections");
    await using closing = fakeServer(() => undefined);
    assertStringIncludes((await generate({ port: closing.port })).error, "closed a connection");
  },
});

Deno.test("the generator says what it needs, and where it cannot connect", async () => {
  const refused = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = refused.addr;
  refused.close();
  assertStringIncludes((await generate({ port }, [])).error, "it needs Linux and --allow-ffi");
  if (isLinux) assertStringIncludes((await generate({ port })).error, `to 127.0.0.1:${port}`);
});
