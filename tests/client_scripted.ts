/**
 * A server that follows a script of the test for each connection, for tests of lost connections,
 * half replies, garbage and silence.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { TextLineStream } from "@std/streams/text-line-stream";
import type { Transport } from "../client.ts";

/** One connection, as the script sees it. */
export interface Peer {
  /** Which connection this is: 1 for the first. */
  readonly number: number;
  /** The next line that the client sent, `undefined` at the end of its input. */
  line(): Promise<string | undefined>;
  /** Sends text as it stands. */
  send(text: string): Promise<void>;
  /** Sends bytes as they stand. */
  sendBytes(bytes: Uint8Array): Promise<void>;
  /** Ends the connection, which also happens when the script returns. */
  close(): void;
}

/** A running scripted server. */
export interface ScriptedServer extends AsyncDisposable {
  readonly hostname: string;
  readonly port: number;
  /** How many connections were accepted so far. */
  readonly connections: number;
}

/** What happens on each connection. */
export type Script = (peer: Peer) => Promise<void> | void;

/** Answers each line by a function, until QUIT or the end of the input. */
export async function answerEach(peer: Peer, answer: (line: string) => string): Promise<void> {
  for (let line = await peer.line(); line !== undefined; line = await peer.line()) {
    if (line === "QUIT") return;
    await peer.send(answer(line) + "\n");
  }
}

/** Reads until QUIT or the end of the input, answering nothing. */
export async function swallow(peer: Peer): Promise<void> {
  for (let line = await peer.line(); line !== undefined && line !== "QUIT";) {
    line = await peer.line();
  }
}

function peerOver(
  number: number,
  transport: Transport,
): Peer {
  const lines = transport.readable
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .pipeThrough(new TextLineStream())
    .getReader();
  const writer = transport.writable.getWriter();
  writer.closed.catch(() => {});
  const encoder = new TextEncoder();
  return {
    number,
    async line() {
      return (await lines.read().catch(() => ({ value: undefined }))).value;
    },
    send: (text) => writer.write(encoder.encode(text)),
    sendBytes: (bytes) => writer.write(bytes),
    close: () => void transport.close(),
  };
}

/** Listens, on a free port unless told otherwise, and runs the script on each connection. */
export function scriptedServer(
  script: Script,
  { hostname = "127.0.0.1", port = 0 }: { hostname?: string; port?: number } = {},
): ScriptedServer {
  const listener = Deno.listen({ hostname, port });
  const running: Promise<void>[] = [];
  const open = new Set<Deno.Conn>();
  let connections = 0;
  const accepting = (async () => {
    for await (const conn of listener) {
      open.add(conn);
      const peer = peerOver(++connections, {
        readable: readableOf(conn),
        writable: writableOf(conn),
        close: () => closeQuietly(conn),
      });
      running.push((async () => {
        try {
          await script(peer);
        } finally {
          closeQuietly(conn);
          open.delete(conn);
        }
      })());
    }
  })();
  return {
    hostname,
    port: (listener.addr as Deno.NetAddr).port,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of open) closeQuietly(conn);
      await Promise.allSettled(running);
    },
  };
}

/** A transport whose other end runs the script, in this process. */
export function scriptedTransport(script: Script): () => Transport {
  let number = 0;
  return () => {
    const up = new TransformStream<Uint8Array, Uint8Array>();
    const down = new TransformStream<Uint8Array, Uint8Array>();
    const ends = new AbortController();
    const close = () => ends.abort();
    const pipe = { signal: ends.signal };
    const inward = new TransformStream<Uint8Array, Uint8Array>();
    const outward = new TransformStream<Uint8Array, Uint8Array>();
    up.readable.pipeTo(inward.writable, pipe).catch(() => {});
    down.readable.pipeTo(outward.writable, pipe).catch(() => {});
    const peer = peerOver(++number, { readable: inward.readable, writable: down.writable, close });
    // A script whose client is gone cannot send; that ends the script.
    Promise.resolve(script(peer)).catch(() => {}).finally(close);
    return { readable: outward.readable, writable: up.writable, close };
  };
}

/** A transport that the test itself is the other end of: it sees each line and replies at will. */
export class ManualTransport implements Transport {
  /** The lines that the client has written so far. */
  readonly lines: string[] = [];
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #isClosed = false;
  #rest = "";

  /** @param onLine Runs for each line, as soon as it is written. */
  constructor(onLine: (line: string) => void = () => {}) {
    const decoder = new TextDecoder();
    this.readable = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
    });
    this.writable = new WritableStream({
      write: (bytes) => {
        const lines = (this.#rest + decoder.decode(bytes, { stream: true })).split("\n");
        this.#rest = lines.pop() ?? "";
        for (const line of lines) {
          this.lines.push(line);
          onLine(line);
        }
      },
    });
  }

  /** Sends text to the client as it stands. */
  reply(text: string): void {
    this.#controller.enqueue(new TextEncoder().encode(text));
  }

  /** Ends the connection. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#controller.close();
  }
}

function readableOf(conn: Deno.Conn): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(16 * 1024);
      const count = await conn.read(buffer).catch(() => null);
      if (count === null) controller.close();
      else controller.enqueue(buffer.subarray(0, count));
    },
  }, { highWaterMark: 0 });
}

function writableOf(conn: Deno.Conn): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    },
  });
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It was closed before.
  }
}
