/**
 * Kills a server with a data file while clients write, starts it again, and compares what it holds
 * with what was acknowledged.
 *
 * Each writer has keys of its own, and sends a few requests at a time. When the server is killed, a
 * writer knows how many replies have come. After the restart its keys must be in the state after
 * these requests, or after some more of those that it had sent: each wholly or not at all, in their
 * order. A counter that all writers share must be between what was acknowledged and what was sent.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { Random } from "../loadgen/mod.ts";
import { RespReader, respRequest } from "./journal_resp.ts";

/** How a round is run. */
export interface KillOptions {
  readonly file: string;
  readonly random: Random;
  readonly threads: number;
  readonly sync: "always" | "interval" | "off";
}

/** What a round has seen. */
export interface RoundResult {
  readonly acknowledged: number;
  readonly unacknowledged: number;
  /** Unacknowledged requests whose effect was there. */
  readonly kept: number;
}

/** A value, byte for character, and when it expires, in milliseconds since 1970. */
interface Held {
  readonly value: string;
  readonly expiresAt: number | undefined;
}

type State = Map<string, Held>;

/** A request: its bytes, and what it does to the writer's keys. */
interface Request {
  readonly bytes: Uint8Array;
  readonly apply: (state: State) => void;
  readonly isCount: boolean;
  /** How many replies it gets. */
  readonly replies: number;
}

const keysOfWriter = 25;
const writers = 4;
const counter = "shared:count";

/** How far a time to live may be off, in milliseconds: requests wait before they run. */
const ttlTolerance = 10_000;

const encoder = new TextEncoder();

/** Runs rounds on one file: each begins with what the one before has left. */
export class Kills {
  readonly #options: KillOptions;
  readonly #states: State[] = Array.from({ length: writers }, () => new Map());
  #count = 0;

  constructor(options: KillOptions) {
    this.#options = options;
  }

  /** Writes, kills, and checks. */
  async round(): Promise<RoundResult> {
    const { random } = this.#options;
    const server = await ServerProcess.start(this.#options);
    const all: Writer[] = [];
    try {
      for (let n = 0; n < writers; n++) {
        all.push(await Writer.connect(server.port, n, this.#states[n], random));
      }
      const written = all.map((writer) => writer.write());
      await new Promise((resolve) => setTimeout(resolve, 20 + random.next() % 400));
      await server.kill();
      await Promise.all(written);
    } finally {
      await server.kill();
    }
    checkIntegrity(this.#options.file);
    return await this.#check(all);
  }

  async #check(all: readonly Writer[]): Promise<RoundResult> {
    await using server = await ServerProcess.start(this.#options);
    const client = await RespReader.connect(server.port);
    let kept = 0;
    let entries = 0;
    for (const [n, writer] of all.entries()) {
      const found = await readKeys(client, n);
      const more = writer.matches(found);
      if (more < 0) throw new Error(writer.differences(found));
      kept += more;
      this.#states[n] = found;
      entries += found.size;
    }
    const acknowledged = all.reduce((sum, { acknowledgedCounts }) => sum + acknowledgedCounts, 0);
    const sent = all.reduce((sum, { sentCounts }) => sum + sentCounts, 0);
    const value = Number(await client.ask("GET", counter) ?? 0);
    const base = this.#count;
    if (value < base + acknowledged || value > base + sent) {
      throw new Error(`The count is ${value}, not ${base + acknowledged} to ${base + sent}`);
    }
    this.#count = value;
    const size = Number(await client.ask("DBSIZE"));
    const expected = entries + (value > 0 ? 1 : 0);
    if (size !== expected) throw new Error(`There are ${size} keys instead of ${expected}`);
    client.close();
    return {
      acknowledged: all.reduce((sum, writer) => sum + writer.acknowledged, 0),
      unacknowledged: all.reduce((sum, writer) => sum + writer.unacknowledged, 0),
      kept,
    };
  }
}

/** One client that writes until the server is gone. */
class Writer {
  /** Replies that came. */
  acknowledged = 0;
  acknowledgedCounts = 0;
  sentCounts = 0;
  readonly #client: RespReader;
  readonly #number: number;
  readonly #random: Random;
  readonly #state: State;
  /** Requests that were sent and not answered. */
  #open: Request[] = [];

  private constructor(client: RespReader, number: number, state: State, random: Random) {
    this.#client = client;
    this.#number = number;
    this.#state = new Map(state);
    // Each writer draws its own numbers, so that a seed gives the same requests.
    this.#random = new Random(random.next());
  }

  static async connect(
    port: number,
    number: number,
    state: State,
    random: Random,
  ): Promise<Writer> {
    return new Writer(await RespReader.connect(port), number, state, random);
  }

  get unacknowledged(): number {
    return this.#open.length;
  }

  /** Writes until the connection ends. */
  async write(): Promise<void> {
    const depth = this.#number % 2 === 0 ? 50 : 3;
    try {
      for (;;) {
        const count = 1 + this.#random.next() % depth;
        const batch = Array.from({ length: count }, () => this.#request());
        this.#open = batch;
        this.sentCounts += batch.filter(({ isCount }) => isCount).length;
        await this.#client.send(batch.map(({ bytes }) => bytes));
        while (this.#open.length > 0) {
          const [request] = this.#open;
          for (let n = 0; n < request.replies; n++) {
            const reply = this.#number < 2 ? await this.#client.line() : await this.#client.reply();
            if (reply instanceof Error || typeof reply === "string" && reply.startsWith("ERROR")) {
              throw new Error(`A request was refused: ${reply}`);
            }
          }
          this.#open.shift();
          request.apply(this.#state);
          this.acknowledged++;
          if (request.isCount) this.acknowledgedCounts++;
        }
      }
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("A request")) throw error;
    } finally {
      this.#client.close();
    }
  }

  /** How many unacknowledged requests lead to this state; -1 if it is none of those allowed. */
  matches(found: State): number {
    const state = new Map(this.#state);
    // The longest prefix counts: later requests may change nothing.
    let matched = isSame(state, found) ? 0 : -1;
    for (const [n, request] of this.#open.entries()) {
      request.apply(state);
      if (isSame(state, found)) matched = n + 1;
    }
    return matched;
  }

  /** What is not as it must be. */
  differences(found: State): string {
    const show = (held: Held | undefined) =>
      held &&
      `${held.value.length} bytes ${JSON.stringify(held.value.slice(0, 40))}, expires ${
        held.expiresAt ?? "never"
      }`;
    const keys = new Set([...this.#state.keys(), ...found.keys()]);
    const lines = [...keys]
      .filter((key) => !isSameHeld(this.#state.get(key), found.get(key)))
      .map((key) => `${key}: ${show(this.#state.get(key))} / ${show(found.get(key))}`);
    return `Writer ${this.#number}: after ${this.acknowledged} replies, with ${this.#open.length} ` +
      `requests open, the acknowledged state and the one found differ, and none of the states ` +
      `between them fits:\n${lines.join("\n")}`;
  }

  #request(): Request {
    return this.#number < 2 ? this.#line() : this.#array();
  }

  #key(): string {
    return `w${this.#number}:${this.#random.next() % keysOfWriter}`;
  }

  /** A value without blanks, seldom a long one. */
  #value(): string {
    const random = this.#random;
    const kind = random.next() % 200;
    const length = kind === 0
      ? 300_000 + random.next() % 1_200_000
      : kind < 10
      ? random.next() % 20_000
      : 1 + random.next() % 60;
    const letter = String.fromCharCode(97 + random.next() % 26);
    return `${random.next()}${letter.repeat(length)}`;
  }

  #line(): Request {
    const random = this.#random;
    const key = this.#key();
    const value = this.#value();
    const make = (text: string, apply: Request["apply"], isCount = false): Request => ({
      bytes: encoder.encode(`${text}\n`),
      apply,
      isCount,
      replies: 1,
    });
    const prefix = `w${this.#number}:${random.next() % 3}`;
    switch (random.next() % 12) {
      case 0:
        return make(`INCR ${counter}`, () => {}, true);
      case 1:
        return make(`DELETE ${key}`, (state) => state.delete(key));
      case 2: {
        const seconds = 1000 + random.next() % 1000;
        const expiresAt = Date.now() + seconds * 1000;
        return make(`EXPIRE ${key} ${seconds}`, (state) => setExpiry(state, key, expiresAt));
      }
      case 3:
        if (random.next() % 10 > 0) return this.#line();
        return make(`FLUSH ${prefix}`, (state) => flush(state, prefix));
      case 4: {
        const seconds = 1000 + random.next() % 1000;
        const expiresAt = Date.now() + seconds * 1000;
        return make(`PUT ${key} ttl=${seconds} ${value}`, (state) => {
          state.set(key, { value, expiresAt });
        });
      }
      case 5:
        return make(`PUT ${key} absent ${value}`, (state) => {
          if (!state.has(key)) state.set(key, { value, expiresAt: undefined });
        });
      default:
        return make(`SET ${key} ${value}`, (state) => {
          state.set(key, { value, expiresAt: undefined });
        });
    }
  }

  #array(): Request {
    const random = this.#random;
    const [key, other] = [this.#key(), this.#key()];
    const value = this.#value();
    const make = (
      requests: readonly (readonly string[])[],
      apply: Request["apply"],
      isCount = false,
    ): Request => ({ bytes: respRequest(requests), apply, isCount, replies: requests.length });
    const set = (state: State, key: string, value: string) =>
      state.set(key, { value, expiresAt: undefined });
    switch (random.next() % 12) {
      case 0:
        return make([["INCR", counter]], () => {}, true);
      case 1:
        return make([["DEL", key, other]], (state) => {
          state.delete(key);
          state.delete(other);
        });
      case 2: {
        const seconds = 1000 + random.next() % 1000;
        const expiresAt = Date.now() + seconds * 1000;
        const milliseconds = String(seconds * 1000);
        return make([["PEXPIRE", key, milliseconds]], (state) => setExpiry(state, key, expiresAt));
      }
      case 3:
        return make([["PERSIST", key]], (state) => {
          const held = state.get(key);
          if (held !== undefined) set(state, key, held.value);
        });
      case 4:
        return make([["APPEND", key, "+"]], (state) => {
          const held = state.get(key);
          state.set(key, {
            value: `${held?.value ?? ""}+`,
            expiresAt: held?.expiresAt,
          });
        });
      case 5:
        return make([["MSET", key, value, other, "second"]], (state) => {
          set(state, key, value);
          set(state, other, "second");
        });
      case 6:
        return make(
          [["MULTI"], ["SET", key, value], ["DEL", other], ["SET", `${key}!`, value], ["EXEC"]],
          (state) => {
            set(state, key, value);
            state.delete(other);
            set(state, `${key}!`, value);
          },
        );
      case 7:
        if (random.next() % 10 > 0) return this.#array();
        return make([["DELPREFIX", `w${this.#number}:1`]], (state) => {
          flush(state, `w${this.#number}:1`);
        });
      default:
        return make([["SET", key, value]], (state) => set(state, key, value));
    }
  }
}

function setExpiry(state: State, key: string, expiresAt: number): void {
  const held = state.get(key);
  if (held !== undefined) state.set(key, { value: held.value, expiresAt });
}

function flush(state: State, prefix: string): void {
  for (const key of [...state.keys()]) if (key.startsWith(prefix)) state.delete(key);
}

function isSame(one: State, other: State): boolean {
  if (one.size !== other.size) return false;
  for (const [key, held] of one) if (!isSameHeld(held, other.get(key))) return false;
  return true;
}

function isSameHeld(one: Held | undefined, other: Held | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.value !== other.value) return false;
  if (one.expiresAt === undefined || other.expiresAt === undefined) {
    return one.expiresAt === other.expiresAt;
  }
  return Math.abs(one.expiresAt - other.expiresAt) <= ttlTolerance;
}

/** The state of a writer's keys in the server. */
async function readKeys(client: RespReader, writer: number): Promise<State> {
  const found: State = new Map();
  for (let n = 0; n < keysOfWriter; n++) {
    for (const key of [`w${writer}:${n}`, `w${writer}:${n}!`]) {
      const value = await client.ask("GET", key);
      if (value === null) continue;
      const ttl = Number(await client.ask("PTTL", key));
      const expiresAt = ttl === -1 ? undefined : Date.now() + ttl;
      found.set(key, { value: String(value), expiresAt });
    }
  }
  return found;
}

/** The file that a killed server has left must be sound, as SQLite sees it. */
function checkIntegrity(file: string): void {
  const database = new DatabaseSync(file);
  try {
    const row = database.prepare("pragma integrity_check").get();
    if (row?.integrity_check !== "ok") {
      throw new Error(`The file is damaged: ${JSON.stringify(row)}`);
    }
  } finally {
    database.close();
  }
}

/** A server in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #log: Promise<string>;
  #isKilled = false;
  #hasEnded = false;

  private constructor(port: number, process: Deno.ChildProcess, log: Promise<string>) {
    this.port = port;
    this.#process = process;
    this.#log = log;
    process.status.then(() => this.#hasEnded = true);
  }

  /** Starts a server on a data file, on a free port; throws what it says where it does not start. */
  static async start(
    { file, threads, sync }: Pick<KillOptions, "file" | "threads" | "sync">,
    more: readonly string[] = [],
  ): Promise<ServerProcess> {
    const main = new URL("../main.ts", import.meta.url).pathname;
    const process = new Deno.Command(Deno.execPath(), {
      // deno-fmt-ignore: flags and their values
      args: [
        "run", "-A", main, "serve", "--port", "0", "--memory-limit", "256MiB", "--data", file,
        "--sync", sync, "--threads", String(threads), ...more,
      ],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const log = new Response(process.stderr).text();
    const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    while (!line.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`The server did not start: ${await log}`);
      line += value;
    }
    await reader.cancel();
    const port = Number(/listens on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
    return new ServerProcess(port, process, log);
  }

  /** What it has logged; resolves when it has ended. */
  get log(): Promise<string> {
    return this.#log;
  }

  /** Its number in the system. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Kills it at once. */
  async kill(): Promise<void> {
    if (!this.#isKilled) {
      this.#isKilled = true;
      if (this.#hasEnded) throw new Error(`The server has ended by itself: ${await this.#log}`);
      this.#process.kill("SIGKILL");
    }
    await this.#process.status;
    await this.#log;
  }

  /** Asks it to end; resolves with its exit status. */
  async stop(): Promise<number> {
    if (!this.#isKilled) {
      this.#isKilled = true;
      this.#process.kill("SIGTERM");
    }
    const { code } = await this.#process.status;
    await this.#log;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
