/**
 * Replies as they are printed. There are four ways, and each reply ends with one line feed:
 *
 * - for people, on a terminal: safe text only, lists numbered, durations and sizes readable;
 * - plain, for scripts and pipes: values byte for byte, `INT`, `TTL` and `INFO` as their bare figure
 *   or JSON, a line for each item of `VALUES` (an empty one where there is none), all else as on the wire;
 * - JSON and CSV: see `format_data.ts`.
 *
 * @module
 */
import { type Colours, noColours } from "./colours.ts";
import { escapeBytes, escapeText, textOf } from "./escape.ts";
import { csvOf, jsonOf } from "./format_data.ts";
import { humanBytes, humanSeconds } from "./human.ts";
import { layOutJson } from "./json_layout.ts";
import type { OutputFormat } from "./options.ts";
import { parseReply, type Reply } from "../client.ts";

/** How replies are to be printed. */
export interface ReplyStyle {
  readonly output: OutputFormat;
  /** True when a person looks at it on a terminal, which must get safe text only. */
  readonly terminal: boolean;
  readonly colours: Colours;
  /** Values that are JSON are laid out over several lines. */
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

/** As {@linkcode formatReply}, of a reply already taken apart. */
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
        ? encoder.encode(peopleText(reply, style) + "\n")
        : withLineFeed(plainBytes(reply, style));
  }
}

function withLineFeed(bytes: Uint8Array): Uint8Array {
  const line = new Uint8Array(bytes.length + 1);
  line.set(bytes);
  line[bytes.length] = lineFeed;
  return line;
}

/** A value laid out if that is asked for and it is JSON, else as it is. */
function laidOut(value: Uint8Array, style: ReplyStyle): Uint8Array {
  if (!style.jsonValues) return value;
  const text = textOf(value);
  const layout = text === undefined ? undefined : layOutJson(text);
  return layout === undefined ? value : encoder.encode(layout);
}

/** The reply as plain bytes for scripts, without the last line feed. */
function plainBytes(reply: Reply, style: ReplyStyle): Uint8Array {
  switch (reply.kind) {
    case "VALUE":
      return laidOut(reply.value, style);
    case "VALUES":
      return joinedLines(reply.values.map((value) => value && laidOut(value, style)));
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

/** The reply as safe text for people, without the last line feed. */
function peopleText(reply: Reply, style: ReplyStyle): string {
  const { dim, red } = style.colours;
  switch (reply.kind) {
    case "VALUE":
      return peopleValue(reply.value, style);
    case "VALUES":
      return numbered(
        reply.values.map((value) =>
          value === undefined
            ? dim("(none)")
            : value.length === 0
            ? dim("(empty)")
            : peopleValue(value, style)
        ),
      );
    case "INT":
      return reply.number;
    case "TTL":
      return reply.seconds === undefined ? "never" : humanSeconds(Number(reply.seconds));
    case "USAGE":
      return wireText(reply) + note(Number(reply.bytes), style);
    case "KEYS":
      return peopleKeys(reply, style);
    case "INFO":
      return peopleInfo(JSON.parse(reply.json), style).join("\n");
    case "ERROR":
      return red(escapeText(wireText(reply)));
    default:
      return escapeText(wireText(reply));
  }
}

/** ` (10 MiB)`, for sizes that are hard to read as bytes. */
function note(bytes: number, style: ReplyStyle): string {
  return bytes >= 1000 ? style.colours.dim(` (${humanBytes(bytes)})`) : "";
}

function peopleValue(value: Uint8Array, style: ReplyStyle): string {
  const mark = style.colours.cyan;
  const layout = laidOut(value, style);
  if (layout === value) return escapeBytes(value, mark);
  // The line feeds of a layout are the shell's own.
  return (textOf(layout) ?? "").split("\n").map((line) => escapeText(line, mark)).join("\n");
}

function numbered(items: readonly string[]): string {
  const width = String(items.length).length;
  const indent = "\n" + " ".repeat(width + 2);
  return items.map((item, index) =>
    `${String(index + 1).padStart(width)}) ${item.replaceAll("\n", indent)}`
  ).join("\n");
}

function peopleKeys(reply: Reply & { kind: "KEYS" }, style: ReplyStyle): string {
  const keys = reply.keys.map((key) => escapeText(key, style.colours.cyan));
  const end = reply.next === "0" ? "(finished)" : `(next: SCAN ${reply.next})`;
  return [...(keys.length > 0 ? [numbered(keys)] : []), style.colours.dim(end)].join("\n");
}

/** A name a line, its figure beside it; what lies inside another is indented below its name. */
function peopleInfo(info: unknown, style: ReplyStyle, inside = "", indent = ""): string[] {
  if (typeof info !== "object" || info === null) return [indent + escapeText(String(info))];
  const members = Object.entries(info);
  const width = Math.max(0, ...members.map(([name]) => name.length));
  return members.flatMap(([name, value]) => {
    const label = indent + escapeText(name);
    if (typeof value === "object" && value !== null) {
      const inner = peopleInfo(value, style, name, indent + "  ");
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
  return isLong ? text + style.colours.dim(` (${humanSeconds(value)})`) : text;
}
