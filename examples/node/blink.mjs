/**
 * A connection to a Blink Store: one request per line, one reply per line, in order.
 *
 * Needs Node 18 or later and nothing else. Keys and values that come from outside never become
 * commands: a request that holds a line break is refused, and values are sent in base64.
 */
import { connect } from "node:net";

const keyBytesMax = 65535;
const lineFeed = 0x0a;

/** The store answered with an ERROR, or with something this program does not know. */
export class StoreError extends Error {}

/** The store cannot be reached, closed the connection, or did not answer in time. */
export class StoreLost extends StoreError {}

/** A key or a request that must not be sent. */
export class UsageError extends Error {}

/** Host and port as BLINK_STORE=HOST:PORT gives them, else 127.0.0.1 and 8765. */
export function addressFromEnvironment() {
  const text = process.env.BLINK_STORE || "127.0.0.1:8765";
  const colon = text.lastIndexOf(":");
  return {
    host: text.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(text.slice(colon + 1)),
  };
}

/** The key, or an error if the store could not take it as one key. */
export function checkKey(key) {
  const bytes = Buffer.byteLength(key);
  if (bytes < 1 || bytes > keyBytesMax) {
    throw new UsageError(`Cannot use this key: it must have 1 to ${keyBytesMax} bytes`);
  }
  if (/[ \t\r\n]/.test(key)) {
    throw new UsageError("Cannot use this key: it holds a blank or a line break");
  }
  return key;
}

/** A key for any bytes: visible ASCII but % stays as it is, every other byte becomes %XX. */
export function safeKey(bytes) {
  return bytes.toString("latin1").replace(
    /[^!-$&-~]/g,
    (byte) => "%" + byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0"),
  );
}

/** One connection, opened by the first request and kept; requests made at once are pipelined. */
export class Blink {
  #socket;
  #waiting = []; // a request each, in the order in which their replies will come
  #chunks = []; // the start of a reply whose end is still to come

  constructor({ host = "127.0.0.1", port = 8765, timeoutMs = 5000, token } = {}) {
    this.address = { host, port };
    this.timeoutMs = timeoutMs;
    this.token = token ?? process.env.BLINK_TOKEN ?? "";
  }

  /** Sends one request and returns its reply line. A lost connection rejects all that wait. */
  ask(line) {
    if (/[\r\n]/.test(line)) {
      throw new UsageError("Cannot send a request that holds a line break");
    }
    this.#socket ??= this.#connect();
    return this.#send(line);
  }

  /** The value as a Buffer, or undefined if there is no such key. */
  async get(key) {
    const reply = await this.ask(`GET ${checkKey(key)}`);
    if (reply === "NOT_FOUND") return undefined;
    if (!reply.startsWith("VALUE ")) throw new StoreError(reply);
    return Buffer.from(reply.slice("VALUE ".length), "base64");
  }

  /** Stores text or any bytes: line breaks, NUL and all. */
  async put(key, value) {
    const base64 = Buffer.from(value).toString("base64");
    const reply = await this.ask(`PUT ${checkKey(key)} b64 ${base64}`);
    if (reply !== "OK") throw new StoreError(reply);
  }

  /** True if the key was there. */
  async delete(key) {
    const reply = await this.ask(`DELETE ${checkKey(key)}`);
    if (reply !== "OK" && reply !== "NOT_FOUND") throw new StoreError(reply);
    return reply === "OK";
  }

  /** Closes the connection; what still waits is rejected. */
  close() {
    this.#lose("closed");
  }

  #connect() {
    const socket = connect({ ...this.address, noDelay: true });
    const lost = (why) => this.#socket === socket && this.#lose(why);
    socket.setTimeout(this.timeoutMs, () => this.#waiting.length && lost("no answer in time"));
    socket.on("data", (chunk) => this.#socket === socket && this.#receive(chunk));
    socket.on("error", (error) => lost(error.message));
    socket.on("close", () => lost("the connection was closed"));
    this.#socket = socket;
    if (this.token) {
      this.#send(`AUTH ${checkKey(this.token)}`).then(
        (reply) => reply === "OK" || this.#lose(reply),
        () => {}, // the waiting requests are rejected with the connection
      );
    }
    return socket;
  }

  #send(line) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(line + "\n");
    });
  }

  #receive(chunk) {
    // A reply is as long as its value: it ends at its line feed, not at the end of a chunk.
    let start = 0;
    for (let end; (end = chunk.indexOf(lineFeed, start)) >= 0; start = end + 1) {
      this.#chunks.push(chunk.subarray(start, end));
      const reply = Buffer.concat(this.#chunks).toString();
      this.#chunks = [];
      this.#waiting.shift()?.resolve(reply);
    }
    if (start < chunk.length) this.#chunks.push(chunk.subarray(start));
  }

  #lose(why) {
    const { host, port } = this.address;
    const error = new StoreLost(`Cannot reach the store at ${host}:${port}: ${why}`);
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#chunks = [];
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
