/**
 * A server for the tests of a copy that speaks the protocol of Redis as a test says: what it
 * answers to each command is a function.
 *
 * @module
 */

/** A reply as it goes over the wire, empty for none, or what is to happen to the connection. */
export type Answer = string | "close";

/** The replies of a small Redis: one string `k` with the value `v`, which never expires. */
export function plainAnswer([name, ...args]: readonly string[]): Answer {
  switch (name) {
    case "PING":
      return "+PONG\r\n";
    case "INFO":
      return bulk(`# ${args[0]}\r\nrun_id:f00\r\ncluster_enabled:0\r\n`);
    case "DBSIZE":
      return ":1\r\n";
    case "SCAN":
      return `*2\r\n${bulk("0")}*1\r\n${bulk("k")}`;
    case "STRLEN":
      return ":1\r\n";
    case "TYPE":
      return "+string\r\n";
    case "MGET":
      return `*${args.length}\r\n${bulk("v").repeat(args.length)}`;
    case "GET":
      return bulk("v");
    case "PEXPIRETIME":
    case "PTTL":
      return ":-1\r\n";
    case "AUTH":
    case "SELECT":
    case "SET":
      return "+OK\r\n";
    default:
      return `-ERR unknown command '${name}', with args beginning with: \r\n`;
  }
}

/** A bulk string. */
export function bulk(text: string): string {
  return `$${new TextEncoder().encode(text).length}\r\n${text}\r\n`;
}

/** A server on a free port of the loopback address. */
export class ScriptedServer implements AsyncDisposable {
  /** Every command that it got, its words joined by blanks. */
  readonly commands: string[] = [];
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #answer: (words: readonly string[]) => Answer;
  readonly #connections = new Set<Deno.Conn>();
  readonly #ended: Promise<void>;

  constructor(answer: (words: readonly string[]) => Answer = plainAnswer) {
    this.#answer = answer;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#ended = this.#accept();
  }

  async #accept() {
    const served: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      served.push(this.#serve(connection).catch(() => {}));
    }
    await Promise.all(served);
  }

  async #serve(connection: Deno.Conn) {
    let text = "";
    try {
      for await (const chunk of connection.readable) {
        text += String.fromCharCode(...chunk);
        for (let parsed = parse(text); parsed !== undefined; parsed = parse(text)) {
          text = text.slice(parsed.length);
          this.commands.push(parsed.words.join(" "));
          const answer = this.#answer(parsed.words);
          if (answer === "close") return;
          if (answer !== "") await connection.write(new TextEncoder().encode(answer));
        }
      }
    } finally {
      this.#connections.delete(connection);
      try {
        connection.close();
      } catch {
        // The stream has closed it already.
      }
    }
  }

  async [Symbol.asyncDispose]() {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await this.#ended;
  }
}

/** The first command of a text of one-byte characters; `undefined` where it is not whole. */
function parse(text: string): { words: string[]; length: number } | undefined {
  const [head, count] = /^\*(\d+)\r\n/.exec(text) ?? [];
  if (head === undefined) return undefined;
  const words: string[] = [];
  let at = head.length;
  for (let word = 0; word < Number(count); word++) {
    const [size, bytes] = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20)) ?? [];
    if (size === undefined || text.length < at + size.length + Number(bytes) + 2) return undefined;
    at += size.length;
    words.push(text.slice(at, at + Number(bytes)));
    at += Number(bytes) + 2;
  }
  return { words: [words[0].toUpperCase(), ...words.slice(1)], length: at };
}
