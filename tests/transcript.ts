/**
 * Transcripts in the documents: fenced blocks of the language `transcript`, replayed against a real
 * server. Each block has a fresh store, whose clock stands still but where the block moves it.
 *
 * - `> line` is a request, `< line` the reply that must come back, to the byte.
 * - `NAME> line` and `NAME< line` are those of another connection.
 * - `< (closed)` says that the server closes the connection.
 * - `(S seconds later)` moves the store's clock.
 * - In a line, `␣` is a blank that would not be seen, `⇥` a tab, `␍` a carriage return.
 * - In a reply, `{json}` is any JSON object and `{n}` any number.
 *
 * After the fence's `transcript` may stand settings of the server: `token=`, `memory-limit=`,
 * `max-line=` (bytes).
 *
 * @module
 */

import { serve, type ServerOptions } from "../server.ts";
import { Store } from "../store.ts";
// @ts-types="../types/std.d.ts"
import { TextLineStream } from "@std/streams/text-line-stream";

/** A fenced block of a document. */
export interface Block {
  /** The words after the opening fence. */
  readonly info: string;
  /** The lines between the fences. */
  readonly lines: readonly string[];
  /** The number of the first of them in its document, from 1. */
  readonly lineNumber: number;
}

/** Every fenced block of a document. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { info: string; lines: string[]; lineNumber: number } | undefined;
  markdown.split("\n").forEach((line, index) => {
    if (!line.startsWith("```")) {
      open?.lines.push(line);
    } else if (open === undefined) {
      open = { info: line.slice(3).trim(), lines: [], lineNumber: index + 2 };
    } else {
      blocks.push(open);
      open = undefined;
    }
  });
  return blocks;
}

type Step =
  | { kind: "request" | "reply"; name: string; text: string; lineNumber: number }
  | { kind: "later"; seconds: number; lineNumber: number };

/** Reads the lines of a transcript; throws for a line that is none. */
export function stepsOf(block: Block): Step[] {
  return block.lines.map((line, index) => {
    const lineNumber = block.lineNumber + index;
    const later = /^\(([0-9.]+) seconds? later\)$/.exec(line);
    if (later !== null) return { kind: "later", seconds: Number(later[1]), lineNumber };
    const said = /^([a-z]*)([<>])(?: (.*))?$/.exec(line);
    if (said === null) throw new Error(`Line ${lineNumber} is not of a transcript: ${line}`);
    const text = (said[3] ?? "").replaceAll("␣", " ").replaceAll("⇥", "\t").replaceAll("␍", "\r");
    return { kind: said[2] === ">" ? "request" : "reply", name: said[1], text, lineNumber };
  });
}

/** True when a reply is what the transcript says. */
export function matches(expected: string, reply: string): boolean {
  const pattern = expected.split(/(\{json\}|\{n\})/).map((part) =>
    part === "{json}"
      ? "(\\{.*\\})"
      : part === "{n}"
      ? "-?[0-9]+(?:\\.[0-9]+)?"
      : part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
  ).join("");
  const found = new RegExp(`^${pattern}$`).exec(reply);
  if (found === null) return false;
  found.slice(1).forEach((json) => JSON.parse(json));
  return true;
}

const closed = "(closed)";

class Speaker implements AsyncDisposable {
  static async at({ hostname, port }: Deno.NetAddr): Promise<Speaker> {
    return new Speaker(await Deno.connect({ hostname, port }));
  }

  readonly #conn: Deno.TcpConn;
  readonly #replies: ReadableStreamDefaultReader<string>;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#replies = conn.readable
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream())
      .getReader();
  }

  async send(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(line + "\n");
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  async reply(): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("no reply within 5 s")), 5_000);
    });
    try {
      const { value, done } = await Promise.race([this.#replies.read(), late]);
      return done ? closed : value;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replies.cancel().catch(() => {});
    try {
      this.#conn.close();
    } catch {
      // The end of its readable side has closed it already.
    }
  }
}

function serverOptions(info: string, store: Store): ServerOptions {
  const settings = new Map(
    info.split(/\s+/).slice(1).map((word) => word.split("=", 2) as [string, string]),
  );
  for (const name of settings.keys()) {
    if (!["token", "memory-limit", "max-line"].includes(name)) {
      throw new Error(`A transcript has no setting ${name}`);
    }
  }
  const lineBytesMax = settings.get("max-line");
  return {
    tcp: [{ hostname: "127.0.0.1", port: 0 }],
    token: settings.get("token"),
    store,
    ...(lineBytesMax === undefined ? {} : { lineBytesMax: Number(lineBytesMax) }),
  };
}

/** Replays a block; throws, naming the line, when a reply is another than it says. */
export async function replay(block: Block): Promise<void> {
  let nowMs = 1_000_000;
  const limit = /memory-limit=([0-9]+)/.exec(block.info);
  const limitBytes = limit === null ? 10 * 1024 * 1024 : Number(limit[1]);
  const store = new Store({ limitBytes, now: () => nowMs });
  await using server = await serve(serverOptions(block.info, store));
  await using speakers = new AsyncDisposableStack();
  const named = new Map<string, Speaker>();
  const ended = new Set<Speaker>();
  for (const step of stepsOf(block)) {
    if (step.kind === "later") {
      nowMs += step.seconds * 1000;
      continue;
    }
    let speaker = named.get(step.name);
    if (speaker === undefined) {
      speaker = speakers.use(await Speaker.at(server.addresses[0] as Deno.NetAddr));
      named.set(step.name, speaker);
    }
    if (step.kind === "request") {
      await speaker.send(step.text);
      continue;
    }
    const reply = await speaker.reply();
    if (reply === closed) ended.add(speaker);
    if (!matches(step.text, reply)) {
      throw new Error(`Line ${step.lineNumber} says ${step.text}, the server says ${reply}`);
    }
  }
  // A reply that the transcript leaves out would come before this one.
  for (const [name, speaker] of named) {
    if (ended.has(speaker)) continue;
    await speaker.send("PING");
    const reply = await speaker.reply();
    if (reply !== "PONG") {
      throw new Error(`The block at line ${block.lineNumber} leaves out ${name}< ${reply}`);
    }
  }
}
