/**
 * A client that knows only the line feeds of the protocol: tests send bytes with it and check the
 * bytes that come back. Every wait has a deadline.
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

/** A client of bytes and lines over a real socket. */
export class RawClient implements Disposable {
  readonly #conn: Deno.Conn;
  /** Received bytes; `#received[0, #length)` were not returned yet. */
  #received = new Uint8Array(64 * 1024);
  #length = 0;

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

  /** The next `count` reply lines, as text without their line feeds. */
  async lines(count: number): Promise<string[]> {
    const lines: string[] = [];
    let from = 0;
    let searched = 0;
    while (lines.length < count) {
      const lineFeed = this.#received.subarray(0, this.#length).indexOf(0x0a, searched);
      if (lineFeed >= 0) {
        lines.push(decoder.decode(this.#received.subarray(from, lineFeed)));
        from = searched = lineFeed + 1;
      } else {
        searched = this.#length;
        if (await this.#read()) continue;
        throw new Error(`Cannot read line ${lines.length + 1} of ${count}: the server has closed`);
      }
    }
    this.#received.copyWithin(0, from, this.#length);
    this.#length -= from;
    return lines;
  }

  /** Sends, and returns as many lines as were sent. */
  async ask(input: string): Promise<string[]> {
    await this.send(input);
    return await this.lines(input.split("\n").length - 1);
  }

  /** Everything to the end of the connection, as bytes. A reset counts as the end. */
  async restBytes(): Promise<Uint8Array> {
    let isOpen = true;
    while (isOpen) {
      isOpen = await this.#read().catch((error) => {
        if (error instanceof Deno.errors.ConnectionReset) return false;
        throw error;
      });
    }
    return this.#received.slice(0, this.#length);
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
    if (this.#length === this.#received.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#received);
      this.#received = larger;
    }
    const bytes = await within(this.#conn.read(this.#received.subarray(this.#length)), "a read");
    this.#length += bytes ?? 0;
    return bytes !== null;
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

/** Resolves once the condition holds, which it checks every millisecond; rejects at a deadline. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`Waited ${patienceMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
