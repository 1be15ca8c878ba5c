/**
 * A reply line of the wire taken apart, for printing. A line that is none of the known replies (a
 * newer server's) is kept whole, so that the shell shows it as it is.
 *
 * @module
 */
import { decodeBase64 } from "../client/base64.ts";

/** What a server may answer, by kind. */
export type Reply =
  | { readonly kind: "VALUE"; readonly value: Uint8Array }
  | { readonly kind: "VALUES"; readonly values: readonly (Uint8Array | undefined)[] }
  /** `number` is decimal text: a 64-bit number does not fit a JavaScript one. */
  | { readonly kind: "INT"; readonly number: string }
  | { readonly kind: "USAGE"; readonly bytes: string }
  | { readonly kind: "DELETED"; readonly count: string }
  /** `seconds` is decimal text, or undefined for never. */
  | { readonly kind: "TTL"; readonly seconds: string | undefined }
  | { readonly kind: "KEYS"; readonly next: string; readonly keys: readonly string[] }
  | { readonly kind: "INFO"; readonly json: string }
  | { readonly kind: "HELP"; readonly verbs: readonly string[] }
  | { readonly kind: "ERROR"; readonly message: string }
  | { readonly kind: "OK" | "NOT_FOUND" | "CONFLICT" | "PONG" }
  | { readonly kind: "other"; readonly line: string };

/** The base64 decoded, or undefined when it is none. */
function decoded(text: string): Uint8Array | undefined {
  try {
    return decodeBase64(text);
  } catch {
    return undefined;
  }
}

/** `""` is the empty value and `-` a missing one. */
function decodedItems(text: string): (Uint8Array | undefined)[] | undefined {
  const values: (Uint8Array | undefined)[] = [];
  for (const item of wordsOf(text)) {
    const value = item === '""' ? new Uint8Array() : item === "-" ? undefined : decoded(item);
    if (value === undefined && item !== "-") return undefined;
    values.push(value);
  }
  return values;
}

function wordsOf(text: string): string[] {
  return text === "" ? [] : text.split(" ");
}

const decimal = /^-?\d+$/;

/** Takes a reply line, given without its line break, apart. */
export function parseReply(line: string): Reply {
  const blank = line.indexOf(" ");
  const kind = blank < 0 ? line : line.slice(0, blank);
  const rest = blank < 0 ? "" : line.slice(blank + 1);
  return parseKind(kind, rest, blank >= 0) ?? { kind: "other", line };
}

function parseKind(kind: string, rest: string, hasRest: boolean): Reply | undefined {
  switch (kind) {
    case "OK":
    case "NOT_FOUND":
    case "CONFLICT":
    case "PONG":
      return hasRest ? undefined : { kind };
    case "ERROR":
      return { kind, message: rest };
    case "VALUE": {
      const value = decoded(rest);
      return value && { kind, value };
    }
    case "VALUES": {
      const values = decodedItems(rest);
      return values && { kind, values };
    }
    case "INT":
      return decimal.test(rest) ? { kind, number: rest } : undefined;
    case "USAGE":
      return decimal.test(rest) ? { kind, bytes: rest } : undefined;
    case "DELETED":
      return decimal.test(rest) ? { kind, count: rest } : undefined;
    case "TTL":
      if (rest === "never") return { kind, seconds: undefined };
      return /^\d+(\.\d+)?$/.test(rest) ? { kind, seconds: rest } : undefined;
    case "KEYS": {
      const [next = "", ...keys] = wordsOf(rest);
      return decimal.test(next) ? { kind, next, keys } : undefined;
    }
    case "INFO":
      return isJson(rest) ? { kind, json: rest } : undefined;
    case "HELP":
      return { kind, verbs: wordsOf(rest) };
    default:
      return undefined;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
