/** Tests of INCR, DECR, INCRBY, DECRBY and INCRBYFLOAT, alone and against a real Redis. */
import { Random } from "../loadgen/mod.ts";
import { assertEquals } from "./assert.ts";
import { RawClient } from "./raw_client.ts";
import { array, joined, words } from "./redis_array.ts";
import { bulk, check, noInteger } from "./redis_asking.ts";
import { ReplyReader, same, startRedis } from "./redis_differential.ts";
import { ManualServer } from "./server_manual.ts";

const overflow = "-ERR increment or decrement would overflow\r\n";
const noFloat = "-ERR value is not a valid float\r\n";
const infinite = "-ERR increment would produce NaN or Infinity\r\n";
const most = "9223372036854775807";
const least = "-9223372036854775808";

Deno.test("redis INCR and its kin count from 0", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["INCR a", ":1\r\n"],
    ["incr a", ":2\r\n"],
    ["DECR a", ":1\r\n"],
    ["DECR a", ":0\r\n"],
    ["GET a", bulk("0")],
    ["DECR a", ":-1\r\n"],
    ["INCRBY a 0", ":-1\r\n"],
    ["INCRBY a 11", ":10\r\n"],
    ["DECRBY a 10", ":0\r\n"],
    ["DECRBY a 0", ":0\r\n"],
    ["GET a", bulk("0")],
    ["DECRBY a -7", ":7\r\n"],
    ["DECRBY b 3", ":-3\r\n"],
    ["INCRBYFLOAT c 1.5", bulk("1.5")],
    ["GET c", bulk("1.5")],
    ["INCR", "-ERR wrong number of arguments for 'incr' command\r\n"],
    ["DECRBY a", "-ERR wrong number of arguments for 'decrby' command\r\n"],
    ["INCRBYFLOAT a 1 2", "-ERR wrong number of arguments for 'incrbyfloat' command\r\n"],
  ]);
});

Deno.test("redis INCR is exact where a JavaScript number is not", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["SET a 999999999999999", "+OK\r\n"],
    ["INCR a", ":1000000000000000\r\n"],
    ["INCR a", ":1000000000000001\r\n"],
    ["SET a 9007199254740991", "+OK\r\n"],
    ["INCR a", ":9007199254740992\r\n"],
    ["INCR a", ":9007199254740993\r\n"],
    ["GET a", bulk("9007199254740993")],
    ["DECRBY a 9007199254740994", ":-1\r\n"],
    ["INCRBY a -9007199254740992", ":-9007199254740993\r\n"],
  ]);
});

Deno.test("redis INCR stops at the ends of 64 bits and leaves the value", () => {
  const client = new ManualServer().connect();
  check(client, [
    [`SET a ${most}`, "+OK\r\n"],
    ["INCR a", overflow],
    ["INCRBY a 1", overflow],
    ["DECRBY a -1", overflow],
    ["GET a", bulk(most)],
    ["DECR a", ":9223372036854775806\r\n"],
    ["INCR a", `:${most}\r\n`],
    [`DECRBY a ${most}`, ":0\r\n"],
    [`INCRBY a ${least}`, `:${least}\r\n`],
    ["DECR a", overflow],
    ["GET a", bulk(least)],
    // Its negative does not fit.
    [`DECRBY a ${least}`, "-ERR decrement would overflow\r\n"],
    [`DECRBY none ${least}`, "-ERR decrement would overflow\r\n"],
    ["INCRBY a 9223372036854775808", noInteger],
    ["EXISTS none", ":0\r\n"],
  ]);
});

Deno.test("redis INCR takes no other text of a number", () => {
  const client = new ManualServer().connect();
  for (const text of ["", " 1", "1 ", "+1", "01", "-0", "--1", "-", "1.0", "1e3", "0x10", "x"]) {
    assertEquals(client.ask(array("SET", "a", text)), "+OK\r\n");
    for (const request of [["INCR", "a"], ["DECR", "a"], ["INCRBY", "a", "2"]]) {
      assertEquals(client.ask(array(...request)), noInteger, `${request} of "${text}"`);
    }
    assertEquals(client.ask(array("GET", "a")), bulk(text));
    assertEquals(client.ask(array("INCRBY", "none", text)), noInteger, text);
    assertEquals(client.ask(array("DECRBY", "none", text)), noInteger, text);
  }
  assertEquals(client.ask(array("SET", "a", "1".repeat(5000))), "+OK\r\n");
  assertEquals(client.ask(array("INCR", "a")), noInteger);
  assertEquals(client.ask(array("EXISTS", "none")), ":0\r\n");
});

Deno.test("redis INCRBYFLOAT prints what Redis prints", () => {
  const client = new ManualServer().connect();
  const sums: [value: string, by: string, sum: string][] = [
    ["10.50", "0.1", "10.6"],
    ["5.0e3", "2.0e2", "5200"],
    ["3", "0.1", "3.1"],
    ["0.1", "0.2", "0.3"],
    ["1", "-1", "0"],
    ["-0", "-0", "0"],
    ["3.0", "1.0", "4"],
    [".5", "1.", "1.5"],
    ["+5", "-5.5", "-0.5"],
    ["0x10", "0x.8p1", "17"],
    ["-1e-18", "0", "0"],
    ["1e-400", "1", "1"],
    ["0e99999999999", "1", "1"],
    // Beyond the 64 bits of the significand.
    ["5.0e3", "0.1", "5000.10000000000000009"],
    ["1e18", "0.1", "1000000000000000000.125"],
    ["1e19", "0.1", "10000000000000000000"],
    ["123456789012345678901234567890", "0", "123456789012345678899921813504"],
    ["0.12345678901234567890", "0", "0.12345678901234568"],
  ];
  for (const [value, by, sum] of sums) {
    assertEquals(client.ask(array("SET", "a", value)), "+OK\r\n");
    assertEquals(client.ask(array("INCRBYFLOAT", "a", by)), bulk(sum), `${value} + ${by}`);
    assertEquals(client.ask(array("GET", "a")), bulk(sum));
  }
});

Deno.test("redis INCRBYFLOAT refuses what is no number or too large", () => {
  const client = new ManualServer().connect();
  const texts = ["", " 1", "1 ", "x", ".", "1e", "0x", "nan", "1e5000", "1e-5000", "1_0", "1\0"];
  for (const text of [...texts, "9".repeat(5120), `0.${"0".repeat(5200)}`]) {
    assertEquals(client.ask(array("INCRBYFLOAT", "none", text)), noFloat, text);
    assertEquals(client.ask(array("SET", "a", text)), "+OK\r\n");
    assertEquals(client.ask(array("INCRBYFLOAT", "a", "1")), noFloat, text);
    assertEquals(client.ask(array("GET", "a")), bulk(text));
  }
  check(client, [
    ["INCRBYFLOAT none inf", infinite],
    ["INCRBYFLOAT none -Infinity", infinite],
    ["SET a 1e4932", "+OK\r\n"],
    ["INCRBYFLOAT a 1e4932", infinite],
    ["GET a", bulk("1e4932")],
    ["EXISTS none", ":0\r\n"],
  ]);
});

Deno.test("redis INCRBYFLOAT answers with a bulk string in version 3, too", () => {
  const client = new ManualServer().connect();
  client.ask(words("HELLO 3"));
  check(client, [["INCRBYFLOAT a 0.5", bulk("0.5")], ["INCR b", ":1\r\n"]]);
});

Deno.test("redis INCR and its kin keep the expiry", () => {
  const server = new ManualServer();
  const client = server.connect();
  check(client, [
    ["SET a 1 PX 1000", "+OK\r\n"],
    ["INCR a", ":2\r\n"],
    ["DECRBY a 5", ":-3\r\n"],
    ["INCRBYFLOAT a 0.5", bulk("-2.5")],
    ["PTTL a", ":1000\r\n"],
    ["INCR b", ":1\r\n"],
    ["TTL b", ":-1\r\n"],
  ]);
  server.advance(1000);
  check(client, [["INCRBYFLOAT a 0.5", bulk("0.5")], ["TTL a", ":-1\r\n"]]);
});

Deno.test("redis INCR and INCRBYFLOAT in a transaction", () => {
  const client = new ManualServer().connect();
  check(client, [
    ["MULTI", "+OK\r\n"],
    ["INCR a", "+QUEUED\r\n"],
    ["INCRBYFLOAT a 0.5", "+QUEUED\r\n"],
    ["INCR a", "+QUEUED\r\n"],
    ["EXEC", `*3\r\n:1\r\n${bulk("1.5")}${noInteger}`],
  ]);
});

// The line command adds with the same function, whose numbers are BigInts from 16 digits on.
Deno.test("both wires add to the same number", () => {
  const server = new ManualServer();
  const line = server.connect();
  const client = server.connect();
  assertEquals(line.ask("INCR a 999999999999999\n"), "INT 999999999999999\n");
  check(client, [["INCR a", ":1000000000000000\r\n"]]);
  assertEquals(line.ask("INCR a 9223372036854775807\n"), "ERROR integer overflow\n");
  assertEquals(line.ask("INCR a -1000000000000001\n"), "INT -1\n");
  assertEquals(line.ask(`INCR b ${least}\n`), `INT ${least}\n`);
  check(client, [["GET a", bulk("-1")], ["INCR b", ":-9223372036854775807\r\n"]]);
});

Deno.test("redis INCR in a store without space answers with the error alone", () => {
  const client = new ManualServer({ limitBytes: 16 }).connect();
  const key = "k".repeat(16);
  const tooLarge = "-ERR value too large (max 0 bytes)\r\n";
  assertEquals(client.ask(array("INCR", key)), tooLarge);
  assertEquals(client.ask(array("DECRBY", key, "1")), tooLarge);
  assertEquals(client.ask(array("INCRBYFLOAT", key, "1")), tooLarge);
  assertEquals(client.ask(array("EXISTS", key)), ":0\r\n");
});

const rounds = Number(Deno.env.get("BLINK_REDIS_ROUNDS") ?? 50);
const roundRequests = 200;

/** A random request that adds to one of a few numbers, or sets or gets one. */
function randomRequest(below: (bound: number) => number): string[] {
  const one = <Item>(items: readonly Item[]): Item => items[below(items.length)];
  const digits = (count: number) => Array.from({ length: count }, () => below(10)).join("");
  const sign = () => one(["", "", "-"]);
  const odd = ["", "x", "+1", "-0", "007", " 1", "1 ", "inf", "-inf", "nan", "0x1f", "0x1.8p-3"];
  const edges = [most, least, "9223372036854775808", "1e4932", "1e-4940", "1e-4951", "1e-4960"];
  const wide = ["1e19", "1.5e300", "-1.5e300", "18446744073709551615", "18446744073709551617"];
  const integer = () =>
    below(4) > 0 ? `${sign()}${1 + below(20)}` : `${sign()}${1 + below(9)}${digits(below(18))}`;
  const makers = [
    () => `${sign()}${digits(1 + below(4))}.${digits(1 + below(4))}`,
    () => `${sign()}${digits(1 + below(25))}.${digits(below(30))}`,
    () => `${sign()}${digits(1 + below(3))}.${digits(below(3))}e${sign()}${below(25)}`,
    () => `${sign()}${1 + below(9)}.${digits(below(3))}e${sign()}${below(4950)}`,
    () => `0x${below(4096).toString(16)}.${below(4096).toString(16)}p${sign()}${below(40)}`,
    () => one([...odd, ...edges, ...wide]),
    integer,
  ];
  const float = () => one(makers)();
  const key = one(["a", "b", "c"]);
  return one([
    () => ["SET", key, float()],
    () => ["SET", key, integer()],
    () => ["SET", key, integer()],
    () => ["GET", key],
    () => ["DEL", key],
    () => ["INCR", key],
    () => ["DECR", key],
    () => ["INCRBY", key, below(5) > 0 ? integer() : float()],
    () => ["DECRBY", key, below(5) > 0 ? integer() : float()],
    () => ["INCRBYFLOAT", key, float()],
    () => ["INCRBYFLOAT", key, float()],
    () => ["INCRBYFLOAT", key, float()],
  ])();
}

Deno.test({
  name: "redis INCR and its kin: replies are those of a real Redis",
  // On other processors Redis has other numbers.
  ignore: Deno.build.arch !== "x86_64",
  async fn() {
    await using redis = await startRedis();
    if (redis === undefined) {
      console.log("redis-server is not installed: nothing to compare with");
      return;
    }
    const seed = Number(Deno.env.get("BLINK_SEED") ?? 1);
    const random = new Random(seed);
    const server = new ManualServer();
    const latin1 = new TextDecoder("latin1");
    for (let round = 0; round < rounds; round++) {
      const requests = Array.from(
        { length: roundRequests },
        () => randomRequest((bound) => random.below(bound)),
      );
      const bytes = joined(...requests.map((args) => array(...args)), array("QUIT"));
      using client = await RawClient.to(redis.address);
      await client.send(bytes);
      const theirs = new ReplyReader(latin1.decode(await client.restBytes()));
      const ours = new ReplyReader(server.connect().ask(bytes));
      for (const request of requests) {
        const ourReply = ours.next();
        const theirReply = theirs.next();
        if (same(ourReply, theirReply)) continue;
        const shown = JSON.stringify(request);
        assertEquals(ourReply, theirReply, `seed ${seed}, round ${round}: ${shown}`);
      }
    }
  },
});
