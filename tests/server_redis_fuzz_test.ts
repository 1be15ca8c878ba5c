/**
 * A fuzz of broken arrays: whatever a client sends, and however it is cut, the requests before the
 * first fault run, exactly one error follows, nothing else of it runs, and no other client notices.
 *
 * `deno task fuzz` is the long form, with another seed each time. The seed in a test's name, given
 * back as `BLINK_SEED`, repeats it.
 *
 * @module
 */

import fc from "fast-check";
import { strangerLineBytesMax } from "../server/request_reader.ts";
import { assert, assertEquals } from "./assert.ts";
import {
  faultyPipelines,
  frame,
  type FrameLimits,
  type Frames,
  pipelines,
  readFrames,
} from "./broken_frames.ts";
import { LentBuffer, type ManualConnection, ManualServer } from "./server_manual.ts";

const runs = Number(Deno.env.get("BLINK_FUZZ_RUNS") ?? 1500);
const seedGiven = Deno.env.get("BLINK_SEED") ?? "1";
const seed = seedGiven === "random" ? Math.floor(Math.random() * 2 ** 31) : Number(seedGiven);

const lineBytesMax = 50_000;

/** What is tried: with a token no client logs in, and the limits before that hold. */
const modes = [
  {
    name: "arrays",
    token: undefined,
    limits: { requestBytesMax: lineBytesMax, argumentsMax: 1 << 20, argumentBytesMax: Infinity },
  },
  {
    name: "arrays before AUTH",
    token: "secret",
    limits: {
      requestBytesMax: strangerLineBytesMax,
      argumentsMax: 10,
      argumentBytesMax: 16 * 1024,
    },
  },
];

/** The bytes of text whose characters are bytes. */
function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** A server with a client that is tried, and another one that is in the middle of its request. */
class Trial {
  readonly server: ManualServer;
  readonly client: ManualConnection;
  readonly #other: ManualConnection;
  readonly #lent = new LentBuffer();

  constructor(token: string | undefined) {
    this.server = new ManualServer({ token, lineBytesMax });
    this.client = this.server.connect();
    this.#other = this.server.connect();
    this.#other.send(frame(["PING", "a long text"]).slice(0, 17));
  }

  /** Sends input in parts, up to these places; the client goes on after each of them. */
  send(input: string, cuts: readonly number[], isLent = false): void {
    const { client } = this;
    const bytes = bytesOf(input);
    client.run();
    for (const to of [...cuts, bytes.length]) {
      for (let from = this.#sentBytes; from < to && !client.isClosed;) {
        const space = isLent ? this.#lent.lend(client.connection) : client.connection.space();
        const part = bytes.subarray(from, Math.min(to, from + space.length));
        space.set(part);
        client.connection.received(part.length);
        this.#sentBytes = from += part.length;
        const want = client.run();
        assert(want === "read" || want === "linger", want);
        if (isLent) this.#lent.takeBack();
      }
    }
  }
  #sentBytes = 0;

  /** What the requests have done. */
  get effects(): unknown {
    const { store, context } = this.server;
    const { requests } = context.commands.info();
    return { usage: store.usage, entries: store.entries, requests };
  }

  /** The other client goes on, all end, and nothing is left of them. */
  finish(isOpen: boolean): void {
    const { server, client } = this;
    assertEquals(server.broken, undefined);
    assertEquals(server.events, []);
    assertEquals(client.isClosed, !isOpen);
    if (isOpen) assertEquals(client.end(), "close");
    const text = frame(["PING", "a long text"]).slice(17);
    const isStranger = server.context.commands.isToken !== undefined;
    const reply = isStranger ? "-NOAUTH Authentication required.\r\n" : "$11\r\na long text\r\n";
    assertEquals(this.#other.ask(text), reply);
    this.#other.close();
    const { input, strangersInput, replies, connections } = server.context;
    const held = [input.bytes, strangersInput.bytes, replies.bytes, connections.size];
    assertEquals(held, [0, 0, 0, 0]);
  }
}

/** What the requests of the frames alone are answered, and what they do. */
function expectedOf({ requests, ending }: Frames, token: string | undefined) {
  const trial = new Trial(token);
  for (const args of requests) {
    if (!trial.client.isClosed) trial.client.send(bytesOf(frame(args)));
  }
  const hasQuit = trial.client.isClosed;
  return {
    replies: trial.client.replies,
    effects: trial.effects,
    isBroken: ending === "broken" && !hasQuit,
    isOpen: ending !== "broken" && !hasQuit,
  };
}

function check(
  input: string,
  cuts: readonly number[],
  limits: FrameLimits,
  token: string | undefined,
) {
  const expected = expectedOf(readFrames(input, limits), token);
  const { length } = input;
  const places = cuts.map((cut) => cut % length).sort((a, b) => a - b);
  const each = length < 500 ? [...input].map((_, at) => at) : places.flatMap((at) => [at, at + 1]);
  let error: string | undefined;
  for (
    const [cuts, isLent] of [[[], false], [places, false], [places, true], [each, false]] as const
  ) {
    const trial = new Trial(token);
    trial.send(input, cuts, isLent);
    const { replies } = trial.client;
    assertEquals(replies.slice(0, expected.replies.length), expected.replies);
    const rest = replies.slice(expected.replies.length);
    if (expected.isBroken) assert(/^-ERR Protocol error: [ -~]+\r\n$/.test(rest), rest);
    else assertEquals(rest, "");
    error ??= rest;
    assertEquals(rest, error, "the error depends on where the input is cut");
    assertEquals(trial.effects, expected.effects);
    const broken = trial.server.context.commands.info().errors.broken_request;
    assertEquals(broken, expected.isBroken ? 1 : 0);
    trial.finish(expected.isOpen);
  }
}

const cuts = fc.array(fc.nat(100_000), { maxLength: 8 });

for (const { name, token, limits } of modes) {
  const numRuns = token === undefined ? runs : Math.ceil(runs / 4);
  Deno.test(`redis fuzz: ${name} with faults, ${numRuns} pipelines (seed ${seed})`, () => {
    const endings = { nothing: 0, unfinished: 0, broken: 0 };
    fc.assert(
      fc.property(faultyPipelines, cuts, (input, cuts) => {
        // A first byte that is no asterisk begins a line.
        if (!input.startsWith("*")) return;
        endings[readFrames(input, limits).ending]++;
        check(input, cuts, limits, token);
      }),
      { seed, numRuns },
    );
    for (const count of Object.values(endings)) assert(count > numRuns / 12, Deno.inspect(endings));
  });
}

Deno.test(`redis fuzz: short pipelines with faults, cut at every byte (seed ${seed})`, () => {
  const short = faultyPipelines.filter((input) => input.startsWith("*") && input.length < 200);
  const [{ limits, token }] = modes;
  fc.assert(
    fc.property(short, (input) => {
      for (let cut = 0; cut < input.length; cut++) check(input, [cut], limits, token);
    }),
    { seed, numRuns: Math.ceil(runs / 60) },
  );
});

Deno.test(`redis fuzz: pipelines without faults have none (seed ${seed})`, () => {
  const [{ limits }] = modes;
  fc.assert(
    fc.property(pipelines, (input) => {
      const longest = Math.max(...input.split("*").map(({ length }) => length));
      if (longest < limits.requestBytesMax / 2) {
        assertEquals(readFrames(input, limits).ending, "nothing");
      }
    }),
    { seed, numRuns: Math.ceil(runs / 10) },
  );
});
