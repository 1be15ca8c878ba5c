/**
 * A small client of the Redis wire for tests that kill its server: it says how many replies came.
 *
 * @module
 */

const encoder = new TextEncoder();

/** The bytes of requests, as arrays of bulk strings. */
export function respRequest(requests: readonly (readonly string[])[]): Uint8Array {
  const text = requests.map((words) =>
    `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`
  ).join("");
  return encoder.encode(text);
}

/** A reply: texts and numbers as text, null for none, an Error for a refusal. */
export type Reply = string | null | Error | readonly Reply[];

/** A connection whose replies are read one by one. Bytes are characters. */
export class RespReader {
  readonly #conn: Deno.Conn;
  readonly #buffer = new Uint8Array(256 * 1024);
  #text = "";

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async connect(port: number): Promise<RespReader> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new RespReader(conn);
  }

  /** Sends these bytes. */
  async send(parts: readonly Uint8Array[]): Promise<void> {
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  /** Sends a request and returns its reply. */
  async ask(...words: string[]): Promise<Reply> {
    await this.send([respRequest([words])]);
    return await this.reply();
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line.replace(/\r$/, "");
      }
      await this.#more();
    }
  }

  close(): void {
    try {
      this.#conn.close();
    } catch {
      // It has ended already.
    }
  }

  /** The next reply. */
  async reply(): Promise<Reply> {
    const line = await this.line();
    const rest = line.slice(1);
    switch (line[0]) {
      case "+":
      case ":":
        return rest;
      case "-":
        return new Error(rest);
      case "$": {
        const length = Number(rest);
        if (length < 0) return null;
        while (this.#text.length < length + 2) await this.#more();
        const text = this.#text.slice(0, length);
        this.#text = this.#text.slice(length + 2);
        return text;
      }
      case "*": {
        const replies: Reply[] = [];
        for (let n = Number(rest); n > 0; n--) replies.push(await this.reply());
        return replies;
      }
      default:
        throw new Error(`Not a reply: ${line}`);
    }
  }

  async #more(): Promise<void> {
    const bytes = await this.#conn.read(this.#buffer);
    if (bytes === null) throw new Deno.errors.UnexpectedEof();
    for (let at = 0; at < bytes; at += 8192) {
      this.#text += String.fromCharCode(...this.#buffer.subarray(at, Math.min(bytes, at + 8192)));
    }
  }
}
