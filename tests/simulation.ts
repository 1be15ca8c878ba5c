/**
 * The simulator: many clients on one server without sockets, interleaved at every step by a seeded
 * random choice. Half of them send lines, the others speak Redis. Requests arrive cut anywhere, clients read slowly, half-close and vanish, large
 * puts compete, flushes and scans overlap with writes, time jumps, allocations fail. After each
 * step the store is verified, and each reply is compared with a model. The same seed gives the same
 * run.
 *
 * To extend it, add a request to simulation_requests.ts, its replies to simulation_model.ts, and
 * what it is on the Redis wire to simulation_redis.ts.
 *
 * @module
 */

import { Random } from "../loadgen/mod.ts";
import { Store } from "../store.ts";
import { Rotation } from "./store_rotation.ts";
import { LentBuffer, ManualClock, ManualServer } from "./server_manual.ts";
import { type Sent, SimulatedClient, type Wire } from "./simulation_client.ts";
import {
  type ScanUnderWay,
  SimulationFault,
  SimulationModel,
  type Watch,
} from "./simulation_model.ts";
import type { LineReply } from "./simulation_redis.ts";
import { RequestSource } from "./simulation_requests.ts";
import type { SimulationShape } from "./simulation_shapes.ts";
import { later } from "./test_commands.ts";

const decoder = new TextDecoder("latin1");

/** The wires of the clients, each as likely as any other. */
const wires: readonly Wire[] = ["lines", "lines", "RESP2", "RESP3"];

/** A run of the simulator. */
export class Simulation {
  readonly #shape: SimulationShape;
  readonly #random: Random;
  readonly #clock = new ManualClock();
  readonly #store: Store | Rotation;
  readonly #server: ManualServer;
  readonly #model: SimulationModel;
  readonly #requests: RequestSource;
  readonly #clients: SimulatedClient[] = [];
  readonly #lent = new LentBuffer();
  #failingAllocations = 0;
  /** Requests that were answered, by the wire of their client. */
  readonly answered: Record<Wire, number> = { lines: 0, RESP2: 0, RESP3: 0 };
  /** Transactions that were run, and those that were not. */
  readonly transactions = { run: 0, dropped: 0 };

  constructor(shape: SimulationShape, seed: number) {
    this.#shape = shape;
    this.#random = new Random(seed);
    this.#requests = new RequestSource(this.#random, shape);
    const { limitBytes, pendingBytesMax, rotation } = shape;
    const hashKey = [this.#random.next() | 0, this.#random.next() | 0] as const;
    const options = {
      limitBytes,
      now: this.#clock.now,
      hashKey,
      allocate: (bytes: number) => this.#allocate(bytes),
    };
    this.#store = rotation === undefined
      ? new Store(options)
      : new Rotation({ ...options, ...rotation });
    this.#server = new ManualServer({
      store: this.#store,
      isShared: rotation !== undefined,
      clock: this.#clock,
      pendingBytesMax,
      commands: [later],
    });
    this.#model = new SimulationModel(limitBytes, this.#clock.now);
  }

  /** Takes `steps` steps, then ends everything and checks that nothing is left. */
  run(steps: number): void {
    this.#fill(this.#shape.entriesFirst ?? 0);
    for (let step = 0; step < steps; step++) this.#step();
    this.#finish();
  }

  #allocate(bytes: number): ArrayBuffer {
    if (this.#failingAllocations > 0 && this.#failingAllocations-- > 0) {
      throw new RangeError("Array buffer allocation failed");
    }
    return new ArrayBuffer(bytes);
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
      this.#connect();
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

  #connect(): void {
    const random = this.#random;
    const wire = wires[random.below(wires.length)];
    const client = new SimulatedClient(this.#server, random.below(2) === 0, wire);
    this.#clients.push(client);
    if (wire === "RESP3") client.send({ line: "HELLO 3" });
  }

  #anyClient(): SimulatedClient {
    return this.#clients[this.#random.below(this.#clients.length)];
  }

  /** Lets one client, or the server for it, go on by a step. */
  #drive(client: SimulatedClient): void {
    try {
      this.#takeTurn(client);
    } finally {
      this.#endTurn(client);
    }
  }

  #takeTurn(client: SimulatedClient): void {
    const random = this.#random;
    if (client.isClosed) {
      this.#vanish(client);
      return;
    }
    if (random.below(20) === 0) client.isStill = random.below(3) === 0;
    const evictions = this.#store.stats.evictions;
    this.#lent.takeBack(client.connection);
    const want = client.connection.next();
    if (this.#server.broken !== undefined) throw this.#server.broken;
    if (this.#server.events.some((event) => /fault/.test(event))) {
      throw new SimulationFault(this.#server.events.join("; "));
    }
    if (want === "send") {
      const hasEvicted = this.#store.stats.evictions !== evictions;
      const unsent = client.unsent();
      if (unsent !== undefined) this.#see(client, decoder.decode(unsent), hasEvicted);
      if (!client.isStill) client.take(random);
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

  /** The turn of a client is over: what it shares with the others is theirs now. */
  #endTurn(client: SimulatedClient): void {
    this.#lent.takeBack();
    const { connection } = client;
    if (!connection.sharesOutput) return;
    connection.settle();
    this.#server.context.commands.output.bytes.fill(0x21);
  }

  /** Brings some of the client's bytes to the server. */
  #deliver(client: SimulatedClient): void {
    const random = this.#random;
    if (client.hasEnded) return;
    if (client.hasDelivered) {
      if (client.partial === "" && client.sent.length === 0 && random.below(200) === 0) {
        client.hasEnded = true;
        client.connection.inputEnded();
        return;
      }
      if (client.sent.length >= 20) return;
      for (let n = random.below(4); n >= 0; n--) this.#request(client);
    }
    client.deliver(random, this.#lent);
  }

  /** Makes a request for a client to send, and notes it in the model. */
  #request(client: SimulatedClient): void {
    if (client.awaitsLater) return client.send({ line: this.#requests.behindLater() });
    if (client.wire !== "lines") {
      if (this.#random.below(12) === 0) return this.#transaction(client);
      if (this.#random.below(30) === 0) return client.send({ line: "DBSIZE" });
    }
    const line = this.#requests.any(client.scan !== undefined, client.wire === "lines");
    const [verb, ...words] = line.split(" ");
    if (verb === "SCAN") client.scan = this.#model.startScan(words[2]);
    client.send({
      line,
      flush: verb === "FLUSH" && words.length > 0 ? this.#model.startFlush(words[0]) : undefined,
      scan: verb === "SCAN" ? client.scan : undefined,
    });
  }

  /** Makes a transaction for a client to send, and perhaps keys that it watches for it. */
  #transaction(client: SimulatedClient): void {
    const random = this.#random;
    let watch: Watch | undefined;
    if (random.below(2) === 0) {
      watch = { keys: this.#requests.keys(), hasChanged: false };
      client.send({ line: `WATCH ${watch.keys.join(" ")}`, watch });
      for (let n = random.below(3); n > 0; n--) client.send({ line: "PING" });
    }
    client.send({ line: "MULTI" });
    const transaction: Sent[] = [];
    for (let n = random.below(6); n >= 0; n--) {
      const line = this.#requests.inTransaction();
      const [verb, prefix] = line.split(" ");
      const isFlush = verb === "FLUSH" && prefix !== undefined;
      const flush = isFlush ? this.#model.startFlush(prefix) : undefined;
      transaction.push({ line, flush, begun: [] });
      client.send({ line, isQueued: true });
    }
    client.send({ line: random.below(8) === 0 ? "DISCARD" : "EXEC", transaction, watch });
  }

  /** Compares the connection's new output with the model. */
  #see(client: SimulatedClient, replies: string, hasEvicted: boolean): void {
    const model = this.#model;
    model.isEvicting = hasEvicted;
    if (hasEvicted) model.evicted();
    client.partial += replies;
    for (;;) {
      const sent = client.sent.at(0);
      if (sent === undefined) {
        if (client.partial === "") break;
        throw new SimulationFault(`${client.partial.slice(0, 80)} answers nothing`);
      }
      const reply = client.replyTo(sent);
      if (reply.texts[0] !== "" && sent.isQueued !== true) this.#begin(sent, reply.texts[0]);
      if (!reply.isWhole) {
        if (client.partial === "" || sent.line !== "EXEC") break;
        throw new SimulationFault("EXEC was answered in parts");
      }
      client.partial = client.partial.slice(reply.length);
      client.sent.shift();
      this.answered[client.wire]++;
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

  #answer(client: SimulatedClient, sent: Sent, { texts, inner }: LineReply): void {
    const model = this.#model;
    const [reply] = texts;
    const [verb] = sent.line.split(" ", 1);
    const expect = (isRight: boolean, expected: string) => {
      if (isRight) return;
      throw new SimulationFault(
        `${sent.line.slice(0, 100)} was answered ${reply.slice(0, 200)}; expected ${
          expected.slice(0, 200)
        }`,
      );
    };
    if (sent.isQueued === true) expect(reply === "QUEUED", "QUEUED");
    else if (verb === "MULTI") expect(reply === "OK", "OK");
    else if (verb === "HELLO") expect(reply === "MAP", "a map");
    else if (verb === "WATCH" && sent.watch !== undefined) {
      expect(reply === "OK", "OK");
      model.startWatch(sent.watch);
    } else if (sent.transaction !== undefined) {
      this.#endTransaction(client, sent, sent.transaction, reply, inner);
    } else if (verb === "DBSIZE") {
      const least = model.isEvicting ? 0 : model.certainKeys.length;
      expect(Number(reply) >= least, `${least} or more`);
    } else if (verb === "PING") expect(reply === "PONG", "PONG");
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
      model.apply(sent.line, ...texts);
    }
  }

  /** A transaction has run, with nothing of other clients in between; or not at all. */
  #endTransaction(
    client: SimulatedClient,
    { line, watch }: Sent,
    requests: readonly Sent[],
    reply: string,
    replies: readonly LineReply[] | undefined,
  ): void {
    if (watch !== undefined) this.#model.endWatch(watch);
    if (replies === undefined) {
      const isRight = line === "DISCARD"
        ? reply === "OK"
        : reply === "NOT RUN" && watch !== undefined;
      if (!isRight) throw new SimulationFault(`${line} was answered ${reply.slice(0, 200)}`);
      this.transactions.dropped++;
      for (const { flush } of requests) if (flush !== undefined) this.#model.abandonFlush(flush);
      return;
    }
    if (watch?.hasChanged === true) {
      throw new SimulationFault(`EXEC ran, though one of ${watch.keys.join(" ")} had changed`);
    }
    if (reply !== `${requests.length} REPLIES`) throw new SimulationFault(`EXEC had ${reply}`);
    this.transactions.run++;
    requests.forEach((sent, n) => {
      const { texts } = replies[n];
      // Replies of a transaction have a bound together.
      if (/^M?GET /.test(sent.line) && /^ERROR no memory for this reply/.test(texts[0])) return;
      this.#begin(sent, texts[0]);
      this.#answer(client, sent, replies[n]);
    });
  }

  #goOnScanning(client: SimulatedClient, sent: Sent, scan: ScanUnderWay, reply: string): void {
    const next = this.#model.continueScan(scan, sent.line, reply);
    if (next === "0") {
      client.scan = undefined;
      return;
    }
    const [, , count, prefix] = sent.line.split(" ");
    client.send({ line: `SCAN ${next} ${count} ${prefix}`, scan });
  }

  /** Ends a client's connection, whatever it was doing. */
  #vanish(client: SimulatedClient): void {
    this.#clients.splice(this.#clients.indexOf(client), 1);
    client.connection.abort();
    client.connection.release();
    if (client.scan !== undefined) this.#model.dropScan(client.scan);
    for (const { flush, watch, transaction } of client.sent) {
      if (watch !== undefined) this.#model.endWatch(watch);
      for (const one of [flush, ...transaction?.map(({ flush }) => flush) ?? []]) {
        if (one !== undefined) this.#model.abandonFlush(one);
      }
    }
  }

  /** Checks the invariants that hold after every step. */
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

  /** Ends all connections, then checks that no memory, timer or space is still held. */
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
export function simulate(shape: SimulationShape, seed: number, steps: number): Simulation {
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
  return simulation;
}
