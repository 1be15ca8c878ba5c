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
import { DataServer, type DataServerOptions } from "./data_server.ts";
import { RespReader } from "./journal_resp.ts";
import {
  counter,
  isSame,
  isSameHeld,
  keysOfWriter,
  KillRequests,
  type Request,
  type State,
} from "./kill_requests.ts";

/** How a round is run. */
export interface KillOptions extends DataServerOptions {
  readonly random: Random;
}

/** What a round has seen. */
export interface RoundResult {
  readonly acknowledged: number;
  readonly unacknowledged: number;
  /** Unacknowledged requests whose effect was there. */
  readonly kept: number;
}

const writers = 4;

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
    const server = await DataServer.start(this.#options);
    const all: Writer[] = [];
    try {
      for (let n = 0; n < writers; n++) {
        all.push(await Writer.connect(server.port, n, this.#states[n], random));
      }
      const written = all.map((writer) => writer.write());
      // Long enough, now and then, for a run from the journal to the table to be under way.
      const aliveMs = 20 + random.next() % (random.next() % 8 === 0 ? 6_000 : 400);
      await new Promise((resolve) => setTimeout(resolve, aliveMs));
      await server.kill();
      await Promise.all(written);
    } finally {
      await server.kill();
    }
    checkIntegrity(this.#options.file);
    return await this.#check(all);
  }

  async #check(all: readonly Writer[]): Promise<RoundResult> {
    await using server = await DataServer.start(this.#options);
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
  readonly #requests: KillRequests;
  readonly #state: State;
  /** Requests that were sent and not answered. */
  #open: Request[] = [];

  private constructor(client: RespReader, number: number, state: State, random: Random) {
    this.#client = client;
    this.#number = number;
    this.#state = new Map(state);
    // Each writer draws its own numbers, so that a seed gives the same requests.
    this.#random = new Random(random.next());
    this.#requests = new KillRequests(number, this.#random);
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
        const batch = Array.from({ length: count }, () => this.#requests.next());
        this.#open = batch;
        this.sentCounts += batch.filter(({ isCount }) => isCount).length;
        await this.#client.send(batch.map(({ bytes }) => bytes));
        while (this.#open.length > 0) {
          const [request] = this.#open;
          for (let n = 0; n < request.replies; n++) {
            const reply = this.#requests.areLines
              ? await this.#client.line()
              : await this.#client.reply();
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
    const show = (held: ReturnType<State["get"]>) =>
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
