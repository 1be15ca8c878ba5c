/**
 * The requests of simulated clients on the Redis wire: a line becomes an array of the same meaning,
 * and its reply becomes that of the line. So one model checks both wires on one store.
 *
 * @module
 */

import { frame } from "./broken_frames.ts";

/** A reply: text with its type, nothing, or replies. */
type Reply = { readonly type: string; readonly text: string } | undefined | readonly Reply[];

/** A reply to a line, as far as it has come. */
export interface LineReply {
  /** What the line's reply may be: one alone, where the array's reply says as much. */
  readonly texts: readonly string[];
  /** Whether that is all of it. */
  readonly isWhole: boolean;
  /** The replies to the requests of a transaction; undefined where none were run. */
  readonly inner?: readonly LineReply[];
  /** The characters that it takes. */
  readonly length: number;
}

/** The milliseconds of seconds. */
function milliseconds(seconds: string): string {
  return String(Math.round(Number(seconds) * 1000));
}

/** The array that means the same as a line. */
export function arrayOf(line: string): string {
  return frame(argumentsOf(line));
}

function argumentsOf(line: string): readonly string[] {
  const [verb, key, ...words] = line.split(" ");
  switch (verb) {
    case "SET":
      return [verb, key, line.slice(verb.length + key.length + 2)];
    case "GET":
      return words.length === 0
        ? [verb, key]
        : ["GETEX", key, "PX", milliseconds(words[0].slice(4))];
    case "DELETE":
      return words.length === 0 ? ["DEL", key] : ["DELIFEQ", key, atob(words[0].slice(6))];
    case "PUT":
      return ["SET", key, ...putArguments(words[0].split(","), words[1] ?? "")];
    case "INCR":
      return ["INCRBY", key, words[0]];
    case "EXPIRE":
      return words[0] === "never" ? ["PERSIST", key] : ["PEXPIRE", key, milliseconds(words[0])];
    case "TTL":
      return ["PTTL", key];
    case "SCAN":
      return [verb, key, "MATCH", `${words[1]}*`, "COUNT", words[0]];
    case "FLUSH":
      return key === undefined ? ["FLUSHALL"] : ["DELPREFIX", key];
    default:
      return line.split(" ");
  }
}

/** The value of a PUT, and the options of SET that mean the same. */
function putArguments(options: readonly string[], text: string): string[] {
  let value = text;
  const args: string[] = [];
  for (const option of options) {
    const [name, argument = ""] = option.split(/=(.*)/s);
    if (name === "b64") value = atob(text);
    if (name === "ttl") args.push("PX", milliseconds(argument));
    if (name === "keepttl") args.push("KEEPTTL");
    if (name === "absent") args.push("NX");
    if (name === "present") args.push("XX");
    if (name === "match") args.push("IFEQ", atob(argument));
  }
  return [value, ...args];
}

/** The reply to a line, from the bytes that answer its array; a transaction has `requests`. */
export function lineReply(line: string, bytes: string, requests?: readonly string[]): LineReply {
  const reader = new ReplyReader(bytes);
  const reply = reader.reply();
  if (!reader.isWhole) return { texts: [begunText(line, reader.begun)], isWhole: false, length: 0 };
  const length = reader.at;
  if (requests === undefined || !Array.isArray(reply)) {
    return { texts: textsOf(line, reply), isWhole: true, length };
  }
  const inner = requests.map((line, n) => ({
    texts: textsOf(line, (reply as readonly Reply[])[n]),
    isWhole: true,
    length: 0,
  }));
  return { texts: [`${reply.length} REPLIES`], isWhole: true, inner, length };
}

/** What is seen of a reply with values of which so many have begun. */
function begunText(line: string, begun: number): string {
  if (line.startsWith("GET ")) return begun > 0 ? "VALUE" : "";
  return line.startsWith("MGET ") ? `VALUES${" ".repeat(begun)}` : "";
}

function textsOf(line: string, reply: Reply): readonly string[] {
  const [verb, key, option] = line.split(" ");
  const unknown = [`${line.slice(0, 50)} got ${JSON.stringify(reply)?.slice(0, 200)}`];
  if (Array.isArray(reply)) return arrayTexts(verb, reply) ?? unknown;
  if (reply === undefined) return missingTexts(verb, option) ?? unknown;
  const { type, text } = reply as { type: string; text: string };
  if (type === "-") {
    if (text === "ERR value is not an integer or out of range") {
      return ["ERROR value is not an integer"];
    }
    // Its code says the same as the text on a line.
    if (text.startsWith("OOM ")) return ["ERROR out of memory"];
    return [text.replace(/^ERR/, "ERROR")];
  }
  if (type === "%") return [text];
  if (type === "$") return verb === "GET" ? [`VALUE ${btoa(text)}`] : unknown;
  if (type === "+") {
    // As many as there may have been: the array's reply does not say it.
    return [verb === "FLUSH" && key === undefined && text === "OK" ? "DELETED 999999999" : text];
  }
  return type === ":" ? numberTexts(verb, option, Number(text), text) ?? unknown : unknown;
}

function missingTexts(verb: string, option: string | undefined): readonly string[] | undefined {
  if (verb === "GET") return ["NOT_FOUND"];
  if (verb === "EXEC") return ["NOT RUN"];
  if (verb !== "PUT" || option === undefined) return undefined;
  if (option.startsWith("absent")) return ["CONFLICT"];
  return option.startsWith("match=") ? ["CONFLICT", "NOT_FOUND"] : ["NOT_FOUND"];
}

function arrayTexts(verb: string, reply: readonly Reply[]): readonly string[] | undefined {
  const text = (item: Reply) => (item as { text: string }).text;
  if (verb === "MGET") {
    const items = reply.map((item) => item === undefined ? "-" : btoa(text(item)) || '""');
    return [["VALUES", ...items].join(" ")];
  }
  if (verb !== "SCAN") return undefined;
  const [next, keys] = reply;
  return [["KEYS", text(next), ...(keys as readonly Reply[]).map(text)].join(" ")];
}

function numberTexts(
  verb: string,
  option: string | undefined,
  number: number,
  text: string,
): readonly string[] | undefined {
  switch (verb) {
    case "INCR":
      return [`INT ${text}`];
    case "FLUSH":
      return [`DELETED ${text}`];
    case "DBSIZE":
      return [text];
    case "TTL":
      if (number < 0) return [number === -1 ? "TTL never" : "NOT_FOUND"];
      return [`TTL ${(number / 1000).toFixed(3)}`];
    case "DELETE":
      if (number === 1) return ["OK"];
      return option === undefined ? ["NOT_FOUND"] : ["NOT_FOUND", "CONFLICT"];
    case "EXPIRE":
      if (number === 1) return ["OK"];
      // Redis says the same of a key that never expires anyway.
      return option === "never" ? ["NOT_FOUND", "OK"] : ["NOT_FOUND"];
    default:
      return undefined;
  }
}

/** Reads a reply of RESP2 or RESP3, which may not be there as a whole. */
class ReplyReader {
  at = 0;
  isWhole = true;
  /** Values of which the length was read. */
  begun = 0;
  readonly #bytes: string;

  constructor(bytes: string) {
    this.#bytes = bytes;
  }

  reply(): Reply {
    const end = this.#bytes.indexOf("\r\n", this.at);
    if (end < 0) {
      this.isWhole = false;
      return undefined;
    }
    const type = this.#bytes[this.at];
    const text = this.#bytes.slice(this.at + 1, end);
    this.at = end + 2;
    if (type === "*" || type === "%") return this.#several(type, Number(text));
    if (type === "$" || type === "_") this.begun++;
    if (type === "_" || text === "-1" && type === "$") return undefined;
    if (type !== "$") return { type, text };
    const length = Number(text);
    const value = this.#bytes.slice(this.at, this.at + length);
    this.at += length + 2;
    if (this.at > this.#bytes.length) this.isWhole = false;
    else if (this.#bytes.slice(this.at - 2, this.at) !== "\r\n") return { type: "?", text: value };
    return { type, text: value };
  }

  #several(type: string, count: number): Reply {
    if (count < 0) return undefined;
    const replies: Reply[] = [];
    const items = type === "%" ? 2 * count : count;
    while (replies.length < items && this.isWhole) replies.push(this.reply());
    return type === "%" ? { type, text: "MAP" } : replies;
  }
}
