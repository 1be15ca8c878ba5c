import { assert, assertEquals, assertStringIncludes, assertThrows } from "./assert.ts";
import { readMix } from "../cli/bench.ts";
import { UsageError } from "../cli/usage_error.ts";
import { blinkStore, exchange, serving } from "./command_line.ts";

Deno.test("a mix gives weights to verbs, each at most once", () => {
  assertEquals(readMix("get=80,set=20"), { get: 80, set: 20 });
  assertEquals(readMix("GET=1, incr=0.5"), { get: 1, incr: 0.5 });
  for (const text of ["", "get", "get=", "get=80:20", "mget=1", "get=1,get=2", "get=-1", "get=0"]) {
    assertThrows(() => readMix(text), UsageError, "--mix: ");
  }
});

Deno.test("bench makes the load that its flags describe and prints its figures", async () => {
  await using server = await serving(["--tcp", ":0"]);
  const words = ["bench", "--port", `${server.port}`, "-c", "3", "-P", "4", "-n", "600"];
  const table = await blinkStore([...words, "-d", "10", "-r", "50", "--fill"]);
  assertEquals({ ...table, stdout: "" }, { status: 0, stdout: "", stderr: "" });
  for (const word of ["600 requests", "p50", "p99.9", "max", "requests/s"]) {
    assertStringIncludes(table.stdout, word);
  }
  // 50 keys of 16 bytes with values of 10.
  assertEquals(await exchange(server, "USAGE\n"), "USAGE 1300\n");

  const json = await blinkStore([...words, "--json", "--mix", "ping=1", "--zipf", "1.1"]);
  const { requests, connections, pipeline, errors } = JSON.parse(json.stdout);
  assertEquals({ requests, connections, pipeline, errors }, {
    requests: 600,
    connections: 3,
    pipeline: 4,
    errors: 0,
  });
});

Deno.test("bench runs for the seconds given", async () => {
  await using server = await serving(["--tcp", ":0"]);
  const { stdout } = await blinkStore(
    ["bench", `127.0.0.1:${server.port}`, "--seconds", "0.2", "-c", "1", "-P", "1", "--json"],
  );
  const { requests, seconds } = JSON.parse(stdout);
  // Without --seconds it would make 1,000,000 requests.
  assert(requests > 0 && requests < 1_000_000 && seconds >= 0.2, stdout);
});

Deno.test("bench reports what it cannot do", async () => {
  const both = await blinkStore(["bench", "-n", "1", "--seconds", "1"]);
  assertEquals(both.status, 2);
  assertStringIncludes(both.stderr, "-n or --seconds: give one of them");
  assertEquals((await blinkStore(["bench", "--mix", "nonsense"])).status, 2);

  await using server = await serving(["--tcp", ":0"], { env: { BLINK_TOKEN: "s3cret" } });
  const words = ["bench", "--port", `${server.port}`, "-n", "10", "-c", "1"];
  assertEquals((await blinkStore(words)).status, 1);
  assertEquals((await blinkStore(words, { env: { BLINK_TOKEN: "s3cret" } })).status, 0);
  server.kill("SIGTERM");
  await server.ended;
  const gone = await blinkStore(words);
  assertEquals(gone.status, 1);
  assertStringIncludes(gone.stderr, `127.0.0.1:${server.port}`);
  assertEquals(gone.stderr.trimEnd().split("\n").length, 1);
});
