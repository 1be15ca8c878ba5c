/**
 * A connection to a server that speaks the protocol of Redis: Redis, Valkey or Blink Store. It
 * sends commands in a pipeline, and sorts what goes wrong: an error reply is a value, a lost
 * connection and a server that is still loading are a {@linkcode ConnectionLost}, and what no
 * repetition would repair is a {@linkcode CopyError}. It never connects again by itself.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Redis } from "ioredis";
import { loadRedis } from "./load_ioredis.ts";
import { ConnectionLost, CopyError } from "./ports.ts";

/** How long a connection may take, in milliseconds. */
export const connectMsMax = 10_000;

/** How long a server may be silent while it owes a reply, in milliseconds. */
export const silenceMsMax = 60_000;

/** The slowest connection that is waited for while it takes a request, in bytes per millisecond. */
export const sendingBytesPerMsMin = 16;

/** Where a server is and how to log in. */
export interface RedisAddress {
  /** A Unix socket, or a host and port. */
  readonly at: { readonly unix: string } | { readonly hostname: string; readonly port: number };
  /** True for TLS. */
  readonly tls: boolean;
  /** Certificates to trust instead of the usual ones, in PEM. */
  readonly certificates?: string;
  readonly username?: string;
  readonly password?: string;
  /** The number of the database. */
  readonly database: number;
  /** The address as messages show it, without the password. */
  readonly shown: string;
}

/** A command and its arguments. */
export type RedisCommand = readonly [name: string, ...args: (string | number | Uint8Array)[]];

/** An error that a server replied with. */
export class ErrorReply {
  constructor(readonly message: string) {}

  /** Its first word, such as `WRONGTYPE`. */
  get code(): string {
    return this.message.split(" ")[0];
  }
}

/** A reply: text comes as bytes. */
export type RedisReply = number | null | Uint8Array | ErrorReply | readonly RedisReply[];

/** The server is there, but not ready: the same command may succeed later. */
const notReady = ["LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN", "CLUSTERDOWN"];

/** No command of a copy succeeds after this one. */
const hopeless = ["NOAUTH", "WRONGPASS", "READONLY", "MISCONF", "NOREPLICAS", "MOVED", "ASK"];

/** A connection, at most one at a time. */
export class RedisConnection {
  readonly #address: RedisAddress;
  readonly #name: string;
  #redis: Redis | undefined;
  #identity: string | undefined;
  /** Why the connection was lost. */
  #loss: Error | undefined;

  readonly #silenceMs: number;

  /**
   * @param role What messages call it.
   * @param address Where the server is.
   * @param silenceMs How long it may be silent while it owes a reply.
   */
  constructor(role: "source" | "target", address: RedisAddress, silenceMs = silenceMsMax) {
    this.#address = address;
    this.#silenceMs = silenceMs;
    this.#name = `the ${role} ${address.shown}`;
  }

  /** Connects where there is no connection; resolves with which run of the server this is. */
  async identity(): Promise<string | undefined> {
    if (this.#redis?.status !== "ready") await this.#connect();
    return this.#identity;
  }

  /**
   * Sends commands at once and resolves with their replies, in order.
   *
   * @throws {ConnectionLost} also when there is no connection.
   * @throws {CopyError} when a reply says that no command of a copy would succeed.
   */
  async run(commands: readonly RedisCommand[]): Promise<RedisReply[]> {
    const replies = await this.#replies(commands);
    for (const reply of replies) if (reply instanceof ErrorReply) this.#check(reply);
    return replies;
  }

  async #replies(commands: readonly RedisCommand[]): Promise<RedisReply[]> {
    if (this.#redis?.status !== "ready") throw this.#lost();
    const pipeline = this.#redis.pipeline();
    let bytes = 0;
    for (const [name, ...args] of commands) {
      for (const arg of args) if (typeof arg === "object") bytes += arg.length;
      pipeline.callBuffer(
        name,
        ...args.map((arg) => typeof arg === "object" ? asBuffer(arg) : arg),
      );
    }
    // The library reads this when it sends: the server owes no reply before it has the request.
    this.#redis.options.socketTimeout = this.#silenceMs + bytes / sendingBytesPerMsMin;
    const results = await pipeline.exec() ?? [];
    return results.map(([error, result]) => {
      if (error === null) return result as RedisReply;
      if (error.name !== "ReplyError") throw this.#lost(error);
      return new ErrorReply(error.message);
    });
  }

  /** Closes the connection. */
  close(): void {
    // The library would wait for the end of a connection that has ended already.
    if (this.#redis?.status !== "end") this.#redis?.disconnect();
    this.#redis = undefined;
  }

  /** Throws unless the error is about one key. */
  #check(reply: ErrorReply) {
    if (notReady.includes(reply.code)) {
      throw new ConnectionLost(`${capitalized(this.#name)} is not ready: ${reply.message}`);
    }
    const mayNotRun = reply.code === "NOPERM" && / to run /.test(reply.message);
    if (mayNotRun || hopeless.includes(reply.code)) throw this.#refused(reply);
  }

  #refused({ code, message }: ErrorReply): CopyError {
    const what = capitalized(this.#name);
    if (code === "NOAUTH") return new CopyError(`${what} requires a password`);
    if (code === "MOVED" || code === "ASK") return isInCluster(what);
    return new CopyError(`${what} refuses: ${message}`);
  }

  #lost(error?: Error): ConnectionLost {
    const reason = this.#loss ?? error;
    const isKnown = reason !== undefined && reason.message !== "Connection is closed.";
    const because = isKnown ? `: ${reasonOf(reason)}` : "";
    return new ConnectionLost(`The connection to ${this.#name} is lost${because}`);
  }

  async #connect(): Promise<void> {
    this.close();
    this.#loss = undefined;
    const Redis = await loadRedis();
    const { at, tls, certificates } = this.#address;
    const redis = new Redis({
      ...("unix" in at ? { path: at.unix } : { host: at.hostname, port: at.port }),
      ...(tls ? { tls: certificates === undefined ? {} : { ca: certificates } } : {}),
      // AUTH and SELECT are commands of this class, whose errors the library would only log.
      protocol: 2,
      disableClientInfo: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      lazyConnect: true,
      connectTimeout: connectMsMax,
      socketTimeout: this.#silenceMs,
      retryStrategy: () => null,
    });
    redis.on("error", (error: Error) => this.#loss ??= error);
    this.#redis = redis;
    try {
      await redis.connect();
    } catch (error) {
      const reason = reasonOf(this.#loss ?? error as Error);
      this.close();
      throw new ConnectionLost(`Cannot reach ${this.#name}: ${reason}`);
    }
    try {
      await this.#logIn();
      await this.#identify();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #logIn(): Promise<void> {
    const { username, password, database } = this.#address;
    if (password !== undefined) {
      const [reply] = await this.#replies([
        username === undefined ? ["AUTH", password] : ["AUTH", username, password],
      ]);
      if (reply instanceof ErrorReply) {
        throw new CopyError(`${capitalized(this.#name)} refuses the password: ${reply.message}`);
      }
    }
    if (database !== 0) {
      const [reply] = await this.run([["SELECT", database]]);
      if (reply instanceof ErrorReply) throw this.#refused(reply);
    }
  }

  /** Finds out which server this is; INFO may be forbidden. */
  async #identify(): Promise<void> {
    const [ping, server, cluster] = await this.#replies([
      ["PING"],
      ["INFO", "server"],
      ["INFO", "cluster"],
    ]);
    if (ping instanceof ErrorReply) this.#check(ping);
    if (/^cluster_enabled:1\r?$/m.test(textOf(cluster))) {
      throw isInCluster(capitalized(this.#name));
    }
    const [, run] = /^run_id:(\w+)\r?$/m.exec(textOf(server)) ?? [];
    this.#identity = run === undefined ? undefined : `${run}/${this.#address.database}`;
  }
}

/** The text of a reply; none of an error or another reply. */
export function textOf(reply: RedisReply): string {
  return reply instanceof Uint8Array ? new TextDecoder().decode(reply) : "";
}

/** The same bytes, as the library takes them. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

function isInCluster(what: string): CopyError {
  return new CopyError(
    `${what} is a node of a cluster, which has a part of the keys: copying clusters is not supported`,
  );
}

function reasonOf({ message }: Error): string {
  const [line] = message.split("\n");
  return line.startsWith("Unknown RESP type")
    ? "it does not speak the protocol of Redis"
    : line.replace(/\. Please report this\.$/, "").replace(/^Socket timeout\..*/, "it is silent");
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
