/**
 * The simulator: many clients on one server without sockets, interleaved at every step by a seeded
 * random choice. Requests arrive cut anywhere, clients read slowly, half-close and vanish, large
 * puts compete, flushes and scans overlap with writes, time jumps, allocations fail. After each
 * step the store is verified, and each reply is held against a model. The same seed gives the same
 * run.
 *
 * To extend it, add a request to `#request` and what it means to simulation_model.ts.
 *
 * @module
 */

import { Random } from "../loadgen/mod.ts";
import { Store } from "../store.ts";
import { Connection, ManualClock, ManualServer } from "./server_manual.ts";
import { bytesOf } from "./raw_client.ts";
import {
  type FlushUnderWay,
  type ScanUnderWay,
  SimulationFault,
  SimulationModel,
} from "./simulation_model.ts";
import { later } from "./test_commands.ts";

/** What a simulation is like. */
export interface SimulationShape {
  /** Its name, for messages. */
  readonly name: string;
  /** The store's limit. */
  readonly limitBytes: number;
  /** How many keys there are. */
  readonly keys: number;
  /** The sizes of values, each as likely as any other. */
  readonly valueBytes: readonly number[];
  /** How many clients at most. */
  readonly clientsMax: number;
  /** The bound on what waits. */
  readonly pendingBytesMax: number;
  /** The share of steps at which the next allocations fail. */
  readonly allocationFailures: number;
  /** Entries that are there at the start; then nothing but prefixes is flushed. */
  readonly entriesFirst?: number;
  /** The share of a run's steps that this shape gets; large values take long to check. */
  readonly stepsShare: number;
}

/** The shapes that are simulated. */
export const shapes: readonly SimulationShape[] = [
  {
    name: "small values, nothing evicted",
    limitBytes: 1 << 20,
    keys: 40,
    valueBytes: [0, 1, 10, 100, 1000],
    clientsMax: 8,
    pendingBytesMax: 1 << 20,
    allocationFailures: 0,
    stepsShare: 1,
  },
  {
    name: "eviction under a small limit",
    limitBytes: 20_000,
    keys: 200,
    valueBytes: [0, 10, 100, 1000, 9000, 19_000],
    clientsMax: 8,
    pendingBytesMax: 1 << 20,
    allocationFailures: 0,
    stepsShare: 1,
  },
  {
    name: "large puts that compete, and replies in parts",
    limitBytes: 5 << 20,
    keys: 12,
    valueBytes: [100, 9000, 200_000, 1_500_000, 3_000_000],
    clientsMax: 5,
    pendingBytesMax: 12 << 20,
    allocationFailures: 0,
    stepsShare: 0.05,
  },
  {
    name: "many entries, flushes and scans in steps",
    limitBytes: 4 << 20,
    keys: 6000,
    valueBytes: [1, 20],
    entriesFirst: 9000,
    clientsMax: 6,
    pendingBytesMax: 8 << 20,
    allocationFailures: 0,
    stepsShare: 0.25,
  },
  {
    name: "allocations that fail",
    limitBytes: 3 << 20,
    keys: 60,
    valueBytes: [10, 1000, 20_000, 300_000, 1_200_000],
    clientsMax: 6,
    pendingBytesMax: 8 << 20,
    allocationFailures: 0.02,
    stepsShare: 0.2,
  },
];

/** One request that was sent and is not answered. */
interface Sent {
  readonly line: string;
  readonly flush?: FlushUnderWay;
  readonly scan?: ScanUnderWay;
  /** For GET and MGET, what each part of the reply may be, as it began. */
  readonly begun: (readonly string[])[];
}

const decoder = new TextDecoder("latin1");

/** One simulated client. */
class Client {
  readonly connection: Connection;
  /** Bytes that are not delivered yet. */
  outbox: Uint8Array = new Uint8Array(0);
  /** Requests that are not answered, in order. */
  readonly sent: Sent[] = [];
  /** The reply that is not complete. */
  partial = "";
  /** True while the output that the connection has was seen. */
  isSeen = false;
  /** Takes nothing for now. */
  isStill = false;
  hasEnded = false;
  isClosed = false;
  scan: ScanUnderWay | undefined;

  constructor(server: ManualServer) {
    this.connection = new Connection(server.context);
    this.connection.driver = {
      wake() {},
      abort: () => {
        this.isClosed = true;
      },
      peer: () => "simulated",
    };
  }
}

/** A run of the simulator. */
export class Simulation {
  readonly #shape: SimulationShape;
  readonly #random: Random;
  readonly #clock = new ManualClock();
  readonly #store: Store;
  readonly #server: ManualServer;
  readonly #model: SimulationModel;
  readonly #clients: Client[] = [];
  #failingAllocations = 0;
  /** Requests that were answered. */
  answered = 0;

  constructor(shape: SimulationShape, seed: number) {
    this.#shape = shape;
    this.#random = new Random(seed);
    const { limitBytes, pendingBytesMax } = shape;
    this.#store = new Store({
      limitBytes,
      now: this.#clock.now,
      hashKey: [this.#random.next() | 0, this.#random.next() | 0],
      allocate: (bytes) => {
        if (this.#failingAllocations > 0 && this.#failingAllocations-- > 0) {
          throw new RangeError("Array buffer allocation failed");
        }
        return new ArrayBuffer(bytes);
      },
    });
    this.#server = new ManualServer({
      store: this.#store,
      clock: this.#clock,
      pendingBytesMax,
      commands: [later],
    });
    this.#model = new SimulationModel(limitBytes, this.#clock.now);
  }

  /** Takes so many steps, then lets everything end and checks that nothing is left. */
  run(steps: number): void {
    this.#fill(this.#shape.entriesFirst ?? 0);
    for (let step = 0; step < steps; step++) this.#step();
    this.#finish();
  }

  #fill(entries: number): void {
    const client = this.#server.connect();
    for (let entry = 0; entry < entries; entry++) {
      const line = `SET ${"abc"[entry % 3]}${Math.floor(entry / 3)} x`;
      this.#model.apply(line, client.ask(`${line}\n`).trimEnd());
    }
    client.close();
  }

  #step(): void {
    const random = this.#random;
    const { clientsMax, allocationFailures } = this.#shape;
    const evictions = this.#store.stats.evictions;
    if (random.fraction() < allocationFailures) {
      this.#failingAllocations = 1 + random.below(4);
      this.#model.mayRunOutOfMemory = true;
    }
    const choice = random.below(1000);
    if (this.#clients.length < clientsMax && (choice < 20 || this.#clients.length === 0)) {
      this.#clients.push(new Client(this.#server));
    } else if (choice < 26) {
      this.#vanish(this.#anyClient());
    } else if (choice < 60) {
      this.#server.advance(random.below(10) === 0 ? random.below(3000) : random.below(20));
      this.#model.expire();
    } else if (choice < 80) {
      if (!this.#server.context.sweep()) this.#model.swept();
    } else {
      this.#drive(this.#anyClient());
    }
    this.#check(evictions);
  }

  #anyClient(): Client {
    return this.#clients[this.#random.below(this.#clients.length)];
  }

  /** Something that one client does, or lets the server do for it. */
  #drive(client: Client): void {
    const random = this.#random;
    if (client.isClosed) {
      this.#vanish(client);
      return;
    }
    if (random.below(20) === 0) client.isStill = random.below(3) === 0;
    const evictions = this.#store.stats.evictions;
    const want = client.connection.next();
    if (this.#server.broken !== undefined) throw this.#server.broken;
    if (this.#server.events.some((event) => /fault/.test(event))) {
      throw new SimulationFault(this.#server.events.join("; "));
    }
    if (want === "send") {
      if (!client.isSeen) this.#see(client, this.#store.stats.evictions !== evictions);
      client.isSeen = true;
      if (client.isStill) return;
      const { unsentBytes } = client.connection;
      const part = random.below(3) === 0 ? 1 + random.below(unsentBytes) : unsentBytes;
      client.connection.sent(part);
      if (part === unsentBytes) client.isSeen = false;
    } else if (want === "yield" || want === "wait") {
      const flush = client.sent.at(0)?.flush;
      if (want === "yield" && flush !== undefined) this.#model.goOnFlushing(flush);
      this.#server.context.polled();
    } else if (want === "read") {
      this.#deliver(client);
    } else if (want === "linger" || want === "close") {
      if (client.sent.length > 0 && !client.hasEnded) {
        throw new SimulationFault(`closed before ${client.sent[0].line.slice(0, 80)} was answered`);
      }
      this.#vanish(client);
    }
  }

  /** Brings some of the client's bytes to the server. */
  #deliver(client: Client): void {
    const random = this.#random;
    if (client.hasEnded) return;
    if (client.outbox.length === 0) {
      if (client.partial === "" && client.sent.length === 0 && random.below(200) === 0) {
        client.hasEnded = true;
        client.connection.inputEnded();
        return;
      }
      if (client.sent.length >= 20) return;
      let lines = "";
      for (let n = random.below(4); n >= 0; n--) lines += `${this.#request(client)}\n`;
      client.outbox = Uint8Array.from(lines, (character) => character.charCodeAt(0));
    }
    const space = client.connection.space();
    const most = Math.min(space.length, client.outbox.length);
    const bytes = random.below(3) === 0 ? 1 + random.below(most) : most;
    space.set(client.outbox.subarray(0, bytes));
    client.connection.received(bytes);
    client.outbox = client.outbox.subarray(bytes);
  }

  /** Makes a request, and notes that it is sent. */
  #request(client: Client): string {
    const random = this.#random;
    const key = () => `${"abc"[random.below(3)]}${random.below(this.#shape.keys)}`;
    const value = () => {
      const { valueBytes } = this.#shape;
      return String.fromCharCode(97 + random.below(26)).repeat(
        valueBytes[random.below(valueBytes.length)],
      );
    };
    const seconds = () => `${(1 + random.below(5000)) / 1000}`;
    let line: string;
    let flush: FlushUnderWay | undefined;
    let scan: ScanUnderWay | undefined;
    if (client.sent.some((sent) => sent.line.startsWith("LATER"))) {
      // What is behind a reply that waits has run when its own is seen, at a time nobody knows. So
      // only what does not depend on the time follows it.
      line = random.below(3) === 0 ? `LATER ${random.below(300)}` : "PING";
      client.sent.push({ line, begun: [] });
      return line;
    }
    switch (random.below(18)) {
      case 0:
      case 1:
      case 2:
      case 3:
        line = `SET ${key()} ${value()}`;
        break;
      case 4:
      case 5:
        line = `GET ${key()}`;
        break;
      case 6:
        line = `GET ${key()} ttl=${seconds()}`;
        break;
      case 7:
        line = `DELETE ${key()}`;
        break;
      case 8:
        line = `DELETE ${key()} match=${btoa(value().slice(0, 1000))}`;
        break;
      case 9:
        line = `PUT ${key()} ttl=${seconds()} ${value()}`;
        break;
      case 10: {
        const options = ["absent", "present", "keepttl", `match=${btoa(value().slice(0, 1000))}`];
        const chosen = options[random.below(options.length)];
        line = `PUT ${key()} ${chosen},b64 ${btoa(value())}`;
        break;
      }
      case 11:
        line = `INCR ${key()} ${random.below(1000) - 500}`;
        break;
      case 12:
        line = random.below(4) === 0 ? `EXPIRE ${key()} never` : `EXPIRE ${key()} ${seconds()}`;
        break;
      case 13:
        line = `TTL ${key()}`;
        break;
      case 14:
        line = `MGET ${Array.from({ length: 1 + random.below(6) }, key).join(" ")}`;
        break;
      case 15:
        line = random.below(2) === 0 ? "PING" : `LATER ${random.below(300)}`;
        break;
      case 16: {
        if (client.scan !== undefined) return this.#request(client);
        const prefix = "abc"[random.below(3)];
        scan = client.scan = this.#model.startScan(prefix);
        line = `SCAN 0 ${1 + random.below(200)} ${prefix}`;
        break;
      }
      default: {
        if (random.below(6) > 0) return this.#request(client);
        const isWhole = random.below(3) === 0 && this.#shape.entriesFirst === undefined;
        const prefix = isWhole ? "" : "abc"[random.below(3)] + random.below(10);
        line = prefix === "" ? "FLUSH" : `FLUSH ${prefix}`;
        if (prefix !== "") flush = this.#model.startFlush(prefix);
      }
    }
    client.sent.push({ line, flush, scan, begun: [] });
    return line;
  }

  /** Holds what the connection has written since it was last asked against the model. */
  #see(client: Client, hasEvicted: boolean): void {
    const model = this.#model;
    model.isEvicting = hasEvicted;
    if (hasEvicted) model.evicted();
    client.partial += decoder.decode(client.connection.unsent());
    for (;;) {
      const lineFeed = client.partial.indexOf("\n");
      const reply = lineFeed < 0 ? client.partial : client.partial.slice(0, lineFeed);
      const sent = client.sent.at(0);
      if (sent === undefined) {
        if (reply === "") break;
        throw new SimulationFault(`${reply.slice(0, 80)} answers nothing`);
      }
      if (reply !== "") this.#begin(sent, reply);
      if (lineFeed < 0) break;
      client.partial = client.partial.slice(lineFeed + 1);
      client.sent.shift();
      this.answered++;
      this.#answer(client, sent, reply);
    }
    model.isEvicting = false;
  }

  /** A reply in parts shows values of the moment at which each began. */
  #begin(sent: Sent, reply: string): void {
    const model = this.#model;
    const verb = sent.line.split(" ", 1)[0];
    if (verb === "MGET") {
      const keys = sent.line.split(" ").slice(1);
      const items = reply.split(" ").length - 1;
      while (sent.begun.length < Math.min(items, keys.length)) {
        sent.begun.push(model.items(keys[sent.begun.length]));
      }
    } else if (verb === "GET" && sent.begun.length === 0 && reply.startsWith("VALUE")) {
      const key = sent.line.split(" ")[1];
      const value = model.items(key)[0];
      const text = value === '""' ? "" : value;
      sent.begun.push([`VALUE ${text}`]);
      // What the request does to the key's expiry happens now.
      model.apply(sent.line, `VALUE ${text}`);
    }
  }

  #answer(client: Client, sent: Sent, reply: string): void {
    const model = this.#model;
    const [verb] = sent.line.split(" ", 1);
    const expect = (isRight: boolean, expected: string) => {
      if (isRight) return;
      throw new SimulationFault(
        `${sent.line.slice(0, 100)} was answered ${reply.slice(0, 200)}; expected ${
          expected.slice(0, 200)
        }`,
      );
    };
    if (verb === "PING") expect(reply === "PONG", "PONG");
    else if (verb === "LATER") expect(reply === sent.line, sent.line);
    else if (sent.flush !== undefined) model.endFlush(sent.flush, sent.line, reply);
    else if (verb === "FLUSH") model.flushAll(sent.line, reply);
    else if (sent.scan !== undefined) this.#goOnScanning(client, sent, sent.scan, reply);
    else if (verb === "MGET") {
      const items = reply.split(" ").slice(1);
      const isRight = items.length === sent.begun.length &&
        items.every((item, n) => sent.begun[n].includes(item));
      expect(isRight, sent.begun.map((cases) => cases.join("|")).join(" "));
    } else if (verb === "GET" && sent.begun.length > 0) {
      expect(sent.begun[0].includes(reply), sent.begun[0].join(" or "));
    } else {
      model.apply(sent.line, reply);
    }
  }

  #goOnScanning(client: Client, sent: Sent, scan: ScanUnderWay, reply: string): void {
    const next = this.#model.continueScan(scan, sent.line, reply);
    if (next === "0") {
      client.scan = undefined;
      return;
    }
    const [, , count, prefix] = sent.line.split(" ");
    const line = `SCAN ${next} ${count} ${prefix}`;
    client.sent.push({ line, scan, begun: [] });
    const more = bytesOf(`${line}\n`);
    const outbox = new Uint8Array(client.outbox.length + more.length);
    outbox.set(client.outbox);
    outbox.set(more, client.outbox.length);
    client.outbox = outbox;
  }

  /** The client is gone, at whatever it was. */
  #vanish(client: Client): void {
    this.#clients.splice(this.#clients.indexOf(client), 1);
    client.connection.abort();
    client.connection.release();
    if (client.scan !== undefined) this.#model.dropScan(client.scan);
    for (const { flush } of client.sent) {
      if (flush !== undefined) this.#model.abandonFlush(flush);
    }
  }

  /** What must hold after every step. */
  #check(evictionsBefore: number): void {
    const store = this.#store;
    if (store.stats.evictions !== evictionsBefore) this.#model.evicted();
    store.verify();
    if (store.usage > store.limitBytes) {
      throw new SimulationFault(`usage ${store.usage} is above ${store.limitBytes}`);
    }
    const { replies, input, connections } = this.#server.context;
    let held = 0;
    for (const connection of connections) held += connection.heldReplyBytes;
    if (replies.bytes !== held) throw new SimulationFault("the bytes of replies are miscounted");
    if (input.bytes < 0) throw new SimulationFault("the bytes of unfinished lines are miscounted");
  }

  /** Everybody leaves; then nothing may be held that nobody needs. */
  #finish(): void {
    this.#failingAllocations = 0;
    for (const client of [...this.#clients]) this.#vanish(client);
    const { replies, input, connections } = this.#server.context;
    if (replies.bytes !== 0 || input.bytes !== 0 || connections.size !== 0) {
      throw new SimulationFault("memory is counted for connections that are gone");
    }
    if (this.#clock.timers !== 0) throw new SimulationFault("timers are left");
    for (let sweeps = 0; this.#server.context.sweep(); sweeps++) {
      if (sweeps > 100_000) throw new SimulationFault("a sweep goes on without end");
    }
    // As large as the limit: it fits, whatever was left half done.
    const client = this.#server.connect();
    const value = "z".repeat(this.#shape.limitBytes - 1);
    const reply = client.ask(`SET z ${value}\nUSAGE\n`);
    if (reply !== `OK\nUSAGE ${this.#shape.limitBytes}\n`) {
      throw new SimulationFault(`a value as large as the limit was answered ${reply}`);
    }
    client.close();
    this.#store.verify();
  }
}

/** Runs a shape with a seed; a fault names both, and the task that repeats it. */
export function simulate(shape: SimulationShape, seed: number, steps: number): number {
  const simulation = new Simulation(shape, seed);
  try {
    simulation.run(steps);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const all = Math.ceil(steps / shape.stepsShare);
    throw new SimulationFault(
      `${shape.name}, seed ${seed}, ${steps} steps: ${message}. ` +
        `To repeat it: BLINK_SEED=${seed} BLINK_SIMULATION_STEPS=${all} deno task simulate`,
      { cause: error },
    );
  }
  return simulation.answered;
}
