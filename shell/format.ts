/**
 * Prints replies in one of four forms; each reply ends with one line feed:
 *
 * - on a terminal, for people: safe text only, lists numbered, durations and sizes readable;
 * - plain, for scripts and pipes: values byte for byte, `INT`, `TTL` and `INFO` as their bare figure
 *   or JSON, a line for each item of `VALUES` (empty for a missing one), all else as on the wire;
 * - JSON and CSV: see `format_data.ts`.
 *
 * @module
 */
// @ts-types="../types/std.d.ts"
import { concat } from "@std/bytes/concat";
import { type Colours, noColours } from "./colours.ts";
import { escapeBytes, escapeText, textOf } from "./escape.ts";
import { csvOf, jsonOf } from "./format_data.ts";
import { formatBytes, formatSeconds } from "./units.ts";
import { prettyJson } from "./pretty_json.ts";
import type { OutputFormat } from "./options.ts";
import { decodeKey, parseReply, type Reply } from "../client.ts";

/** How replies are to be printed. */
export interface ReplyStyle {
  readonly output: OutputFormat;
  /** True for a terminal, which gets safe text only. */
  readonly terminal: boolean;
  readonly colours: Colours;
  /** Values that are JSON are pretty-printed. */
  readonly jsonValues: boolean;
}

/** For scripts: plain text, byte for byte. */
export const plainStyle: ReplyStyle = {
  output: "text",
  terminal: false,
  colours: noColours,
  jsonValues: false,
};

const encoder = new TextEncoder();
const lineFeed = 10;

/** The bytes that a reply line is printed as, its line feed included. */
export function formatReply(line: string, style: ReplyStyle): Uint8Array {
  return formatParsed(parseReply(line), style);
}

/** As {@linkcode formatReply}, for a parsed reply. */
export function formatParsed(reply: Reply, style: ReplyStyle): Uint8Array {
  switch (style.output) {
    case "json": {
      const text = jsonOf(reply);
      return encoder.encode((style.terminal ? escapeText(text) : text) + "\n");
    }
    case "csv": {
      const bytes = csvOf(reply);
      return style.terminal ? encoder.encode(escapeBytes(bytes) + "\n") : withLineFeed(bytes);
    }
    case "text":
      return style.terminal
        ? encoder.encode(terminalText(reply, style) + "\n")
        : withLineFeed(plainBytes(reply, style));
  }
}

function withLineFeed(bytes: Uint8Array): Uint8Array {
  return concat([bytes, Uint8Array.of(lineFeed)]);
}

/** A JSON value pretty-printed if the style asks for it; any other value unchanged. */
function pretty(value: Uint8Array, style: ReplyStyle): Uint8Array {
  if (!style.jsonValues) return value;
  const text = textOf(value);
  const json = text === undefined ? undefined : prettyJson(text);
  return json === undefined ? value : encoder.encode(json);
}

/** The reply as plain bytes for scripts, without the last line feed. */
function plainBytes(reply: Reply, style: ReplyStyle): Uint8Array {
  switch (reply.kind) {
    case "VALUE":
      return pretty(reply.value, style);
    case "VALUES":
      return joinedLines(reply.values.map((value) => value && pretty(value, style)));
    case "INT":
      return encoder.encode(reply.number);
    case "TTL":
      return encoder.encode(reply.seconds ?? "never");
    case "INFO":
      return encoder.encode(reply.json);
    default:
      return encoder.encode(wireText(reply));
  }
}

function joinedLines(lines: readonly (Uint8Array | undefined)[]): Uint8Array {
  const size = lines.reduce((sum, line) => sum + (line?.length ?? 0) + 1, 0);
  const joined = new Uint8Array(Math.max(0, size - 1));
  let at = 0;
  lines.forEach((line, index) => {
    if (index > 0) joined[at++] = lineFeed;
    if (line) joined.set(line, at);
    at += line?.length ?? 0;
  });
  return joined;
}

/** The kinds whose text on the wire holds no base64. */
type WireReply = Exclude<Reply, { kind: "VALUE" | "VALUES" | "INT" | "TTL" | "INFO" }>;

/** The reply as it stood on the wire. */
function wireText(reply: WireReply): string {
  switch (reply.kind) {
    case "USAGE":
      return `USAGE ${reply.bytes}`;
    case "DELETED":
      return `DELETED ${reply.count}`;
    case "KEYS":
      return ["KEYS", reply.next, ...reply.keys].join(" ");
    case "HELP":
      return ["HELP", ...reply.verbs].join(" ");
    case "ERROR":
      return reply.message === "" ? "ERROR" : `ERROR ${reply.message}`;
    case "other":
      return reply.line;
    default:
      return reply.kind;
  }
}

/** The reply as safe text for a terminal, without the last line feed. */
function terminalText(reply: Reply, style: ReplyStyle): string {
  const { dim, red } = style.colours;
  switch (reply.kind) {
    case "VALUE":
      return terminalValue(reply.value, style);
    case "VALUES":
      return numbered(
        reply.values.map((value) =>
          value === undefined
            ? dim("(none)")
            : value.length === 0
            ? dim("(empty)")
            : terminalValue(value, style)
        ),
      );
    case "INT":
      return reply.number;
    case "TTL":
      return reply.seconds === undefined ? "never" : formatSeconds(Number(reply.seconds));
    case "USAGE":
      return wireText(reply) + note(Number(reply.bytes), style);
    case "KEYS":
      return terminalKeys(reply, style);
    case "INFO":
      return terminalInfo(JSON.parse(reply.json), style).join("\n");
    case "ERROR":
      return red(escapeText(wireText(reply)));
    default:
      return escapeText(wireText(reply));
  }
}

/** ` (10 MiB)`, for sizes that are hard to read as bytes. */
function note(bytes: number, style: ReplyStyle): string {
  return bytes >= 1000 ? style.colours.dim(` (${formatBytes(bytes)})`) : "";
}

function terminalValue(value: Uint8Array, style: ReplyStyle): string {
  const mark = style.colours.cyan;
  const printed = pretty(value, style);
  if (printed === value) return escapeBytes(value, mark);
  // The line feeds of pretty-printed JSON are the shell's own.
  return (textOf(printed) ?? "").split("\n").map((line) => escapeText(line, mark)).join("\n");
}

function numbered(items: readonly string[]): string {
  const width = String(items.length).length;
  const indent = "\n" + " ".repeat(width + 2);
  return items.map((item, index) =>
    `${String(index + 1).padStart(width)}) ${item.replaceAll("\n", indent)}`
  ).join("\n");
}

function terminalKeys(reply: Reply & { kind: "KEYS" }, style: ReplyStyle): string {
  const { cyan, dim } = style.colours;
  const keys = reply.keys.map((word) => {
    const key = decodeKey(word);
    const shown = escapeText(word, cyan);
    return key === word ? shown : `${shown} ${dim(`(${escapeText(key, cyan)})`)}`;
  });
  const end = reply.next === "0" ? "(finished)" : `(next: SCAN ${reply.next})`;
  return [...(keys.length > 0 ? [numbered(keys)] : []), dim(end)].join("\n");
}

/** A name a line, its figure beside it; what lies inside another is indented below its name. */
function terminalInfo(info: unknown, style: ReplyStyle, inside = "", indent = ""): string[] {
  if (typeof info !== "object" || info === null) return [indent + escapeText(String(info))];
  const members = Object.entries(info);
  const width = Math.max(0, ...members.map(([name]) => name.length));
  return members.flatMap(([name, value]) => {
    const label = indent + escapeText(name);
    if (typeof value === "object" && value !== null) {
      const inner = terminalInfo(value, style, name, indent + "  ");
      return [style.colours.bold(label), ...(inner.length > 0 ? inner : [indent + "  -"])];
    }
    const padding = " ".repeat(width - name.length + 2);
    return [label + padding + infoFigure(name, inside, value, style)];
  });
}

function infoFigure(name: string, inside: string, value: unknown, style: ReplyStyle): string {
  const text = escapeText(String(value));
  if (typeof value !== "number") return text;
  if (inside === "bytes" || name === "limit") return text + note(value, style);
  const isLong = name === "uptime" && value >= 120;
  return isLong ? text + style.colours.dim(` (${formatSeconds(value)})`) : text;
}
