/**
 * Random programs of requests by several clients at once, against a model of the protocol. Each
 * client has keys of its own, so each knows what it must be answered while the others run too.
 * `SEED=n` repeats a run and `ROUNDS=n` makes it longer.
 *
 * @module
 */

import { Random } from "../loadgen/mod.ts";
import { Store } from "../store.ts";
import { assertEquals } from "./assert.ts";
import { RawClient } from "./raw_client.ts";
import { serve } from "./served.ts";
import { WireModel } from "./wire_model.ts";

const clientCount = 6;
const roundsDefault = 40;

/** Whole numbers below a bound, the same ones for the same seed. */
function randomNumbers(seed: number): (bound: number) => number {
  const random = new Random(seed);
  return (bound) => random.below(bound);
}

/** A random valid request on keys that begin with a prefix. */
function randomRequest(random: (below: number) => number, prefix: string): string {
  const pick = <T>(items: readonly T[]): T => items[random(items.length)];
  const key = () => `${prefix}${random(12)}`;
  const ttl = () => pick(["0.001", "0.5", "1", "2.25", "60", "315360000"]);
  const value = () =>
    pick([
      () => "",
      () => String(random(100) - 50),
      () => " blanks  inside ",
      () => pick(["9223372036854775807", "-9223372036854775808", "007", "x"]),
      () => String.fromCharCode(97 + random(26)).repeat(random(600)),
      () => "long ".repeat(random(12_000)),
    ])();
  const condition = () => pick(["", "absent", "present", `match=${btoa(value().slice(0, 30))}`]);
  const expiry = () => pick(["", "", `ttl=${ttl()}`, "keepttl"]);
  const put = () => {
    const coded = random(2) === 0;
    const options = [condition(), expiry(), coded ? "b64" : ""].filter(Boolean).join(",") || "-";
    const text = coded ? btoa(`${value()}\n\0`) : value();
    return `PUT ${key()} ${options} ${text}`;
  };
  const makers: (() => string)[] = [
    () => `SET ${key()} ${value()}`,
    () => `SET ${key()} ${value()}`,
    () => `GET ${key()}`,
    () => `GET ${key()}`,
    () => `GET ${key()} ttl=${ttl()}`,
    put,
    put,
    () => `DELETE ${key()}`,
    () => `DELETE ${key()} match=${btoa(value().slice(0, 30))}`,
    () => `MGET ${Array.from({ length: 1 + random(5) }, key).join(" ")}`,
    () => `INCR ${key()}`,
    () => `INCR ${key()} ${random(2000) - 1000}${random(2) ? ` ttl=${ttl()}` : ""}`,
    () => `EXPIRE ${key()} ${pick([ttl(), "never"])}`,
    () => `TTL ${key()}`,
    () => random(8) === 0 ? `FLUSH ${prefix}${pick(["", "1"])}` : "",
  ];
  return pick(makers)();
}

/** Sends a text in parts that are cut anywhere. */
async function sendCut(
  client: RawClient,
  text: string,
  random: (below: number) => number,
): Promise<void> {
  for (let from = 0; from < text.length;) {
    const to = random(4) === 0 ? from + 1 + random(40) : from + 1 + random(100_000);
    await client.send(text.slice(from, to));
    from = to;
  }
}

Deno.test("random programs by several clients at once are answered as the model says", async () => {
  const seed = Number(Deno.env.get("SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const rounds = Number(Deno.env.get("ROUNDS") ?? roundsDefault);
  const random = randomNumbers(seed);
  let nowMs = 1_000;
  const store = new Store({ limitBytes: 64 << 20, now: () => nowMs });
  await using server = await serve({ tcp: [{ hostname: "127.0.0.1", port: 0 }], store });
  const models = Array.from({ length: clientCount }, () => new WireModel(() => nowMs));
  const clients = await Promise.all(models.map(() => RawClient.to(server.addresses[0])));
  for (let round = 0; round < rounds; round++) {
    await Promise.all(models.map(async (model, number) => {
      const requests = Array.from(
        { length: 1 + random(120) },
        () => randomRequest(random, `client${number}:`),
      );
      const want = requests.map((request) => model.reply(request));
      const sending = sendCut(
        clients[number],
        requests.map((line) => line + (random(3) ? "\n" : "\r\n")).join(""),
        random,
      );
      const replies = await clients[number].lines(requests.length);
      await sending;
      replies.forEach((reply, at) =>
        assertEquals(
          reply,
          want[at],
          `SEED=${seed}, round ${round}, request ${at}: ${requests[at].slice(0, 200)}`,
        )
      );
    }));
    // Time stands still within a round and passes between two, so that all agree on it.
    nowMs += random(1500);
    // What has expired may be counted until it is swept, so it is asked for first.
    for (const [number, client] of clients.entries()) {
      const keys = Array.from({ length: 12 }, (_, key) => `client${number}:${key}`);
      await client.ask(`MGET ${keys.join(" ")}\n`);
    }
    const bytes = models.reduce((sum, model) => sum + model.bytes, 0);
    assertEquals(await clients[0].ask("USAGE\n"), [`USAGE ${bytes}`], `SEED=${seed}`);
  }
  for (const client of clients) client[Symbol.dispose]();
});
