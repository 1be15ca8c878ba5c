/**
 * A client that knows nothing of the protocol but its line feeds: tests send bytes with it and look
 * at the bytes that come back. Every wait has an end.
 *
 * @module
 */

/** The longest wait for bytes, so that a test fails instead of hanging. */
const patienceMs = 10_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes of text; of bytes, themselves. */
export function bytesOf(input: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(typeof input === "string" ? encoder.encode(input) : input);
}

/** See the head of this file. */
export class RawClient implements Disposable {
  readonly #conn: Deno.Conn;
  #received: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Connects to where a server listens. */
  static async to(address: Deno.NetAddr | Deno.UnixAddr): Promise<RawClient> {
    if ("path" in address) {
      return new RawClient(await Deno.connect({ transport: "unix", path: address.path }));
    }
    const conn = await Deno.connect({ hostname: address.hostname, port: address.port });
    conn.setNoDelay(true);
    return new RawClient(conn);
  }

  /** Sends everything. */
  async send(input: string | Uint8Array): Promise<void> {
    const bytes = bytesOf(input);
    for (let sent = 0; sent < bytes.length;) {
      sent += await within(this.#conn.write(bytes.subarray(sent)), "a write");
    }
  }

  /** Ends the writing side. */
  async end(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** The next so many reply lines, as text without their line feeds. */
  async lines(count: number): Promise<string[]> {
    const lines: string[] = [];
    let from = 0;
    while (lines.length < count) {
      const lineFeed = this.#received.indexOf(0x0a, from);
      if (lineFeed >= 0) {
        lines.push(decoder.decode(this.#received.subarray(from, lineFeed)));
        from = lineFeed + 1;
      } else if (!await this.#read()) {
        throw new Error(`Cannot read line ${lines.length + 1} of ${count}: the server has closed`);
      }
    }
    this.#received = this.#received.slice(from);
    return lines;
  }

  /** Sends, and returns as many lines as were sent. */
  async ask(input: string): Promise<string[]> {
    await this.send(input);
    return await this.lines(input.split("\n").length - 1);
  }

  /** Everything to the end of the connection, as bytes. A reset counts as the end. */
  async restBytes(): Promise<Uint8Array> {
    for (;;) {
      try {
        if (!await this.#read()) return this.#received;
      } catch (error) {
        if (error instanceof Deno.errors.ConnectionReset) return this.#received;
        throw error;
      }
    }
  }

  /** Everything to the end of the connection, as text. */
  async rest(): Promise<string> {
    return decoder.decode(await this.restBytes());
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // It was closed by the other side.
    }
  }

  async #read(): Promise<boolean> {
    const chunk = new Uint8Array(64 * 1024);
    const bytes = await within(this.#conn.read(chunk), "a read");
    if (bytes === null) return false;
    const joined = new Uint8Array(this.#received.length + bytes);
    joined.set(this.#received);
    joined.set(chunk.subarray(0, bytes), this.#received.length);
    this.#received = joined;
    return true;
  }
}

/** The promise, or an error once patience has ended. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${patienceMs} ms for ${what}`)), patienceMs);
  });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(timer);
  }
}
