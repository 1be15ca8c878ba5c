/**
 * Replies as data for scripts, `--json` and `--csv`.
 *
 * JSON: one object a reply, its kind in `reply` and its content beside it. A value is a string; one
 * that is not UTF-8 is `{"base64": …}`; a missing item of `VALUES` is `null`. Numbers keep all
 * their digits. Keys are as they are, also those that the wire shows in base64.
 *
 * CSV (RFC 4180): the reply's kind is the first field, its content follows a field each, values
 * byte for byte. A missing item is an empty field, an empty value is `""`.
 *
 * @module
 */
import { textOf } from "./escape.ts";
import { decodeKey, type Reply } from "../client.ts";

function jsonValue(value: Uint8Array | undefined): string {
  if (value === undefined) return "null";
  const text = textOf(value);
  return JSON.stringify(text ?? { base64: value.toBase64() });
}

/** The content of a reply as JSON members, after `"reply":…`. */
function jsonMembers(reply: Reply): string[] {
  switch (reply.kind) {
    case "VALUE": {
      const text = textOf(reply.value);
      return [
        text === undefined
          ? `"base64":"${reply.value.toBase64()}"`
          : `"value":${JSON.stringify(text)}`,
      ];
    }
    case "VALUES":
      return [`"values":[${reply.values.map(jsonValue).join(",")}]`];
    case "INT":
      return [`"number":${reply.number}`];
    case "USAGE":
      return [`"bytes":${reply.bytes}`];
    case "DELETED":
      return [`"count":${reply.count}`];
    case "TTL":
      return [`"seconds":${reply.seconds === undefined ? "null" : Number(reply.seconds)}`];
    case "KEYS":
      return [`"next":${reply.next}`, `"keys":${JSON.stringify(reply.keys.map(decodeKey))}`];
    case "INFO":
      return [`"info":${reply.json}`];
    case "HELP":
      return [`"verbs":${JSON.stringify(reply.verbs)}`];
    case "ERROR":
      return [`"message":${JSON.stringify(reply.message)}`];
    case "other":
      return [`"line":${JSON.stringify(reply.line)}`];
    default:
      return [];
  }
}

/** The reply as one line of JSON, without a line feed. */
export function jsonOf(reply: Reply): string {
  return `{${[`"reply":"${reply.kind}"`, ...jsonMembers(reply)].join(",")}}`;
}

const encoder = new TextEncoder();
const quote = 0x22;

/**
 * A field in quotes where RFC 4180 needs them, and where it is empty, so as to differ from none.
 */
export function csvField(field: Uint8Array | string | undefined): Uint8Array {
  if (field === undefined) return new Uint8Array();
  const bytes = typeof field === "string" ? encoder.encode(field) : field;
  const special = bytes.some((byte) => byte === quote || byte === 44 || byte === 10 || byte === 13);
  if (!special && bytes.length > 0) return bytes;
  const quotes = bytes.reduce((count, byte) => count + (byte === quote ? 1 : 0), 0);
  const quoted = new Uint8Array(bytes.length + quotes + 2);
  let at = 0;
  quoted[at++] = quote;
  for (const byte of bytes) {
    if (byte === quote) quoted[at++] = quote;
    quoted[at++] = byte;
  }
  quoted[at] = quote;
  return quoted;
}

function csvFields(reply: Reply): readonly (Uint8Array | string | undefined)[] {
  switch (reply.kind) {
    case "VALUE":
      return [reply.value];
    case "VALUES":
      return reply.values;
    case "INT":
      return [reply.number];
    case "USAGE":
      return [reply.bytes];
    case "DELETED":
      return [reply.count];
    case "TTL":
      return [reply.seconds ?? "never"];
    case "KEYS":
      return [reply.next, ...reply.keys.map(decodeKey)];
    case "INFO":
      return [reply.json];
    case "HELP":
      return reply.verbs;
    case "ERROR":
      return [reply.message];
    case "other":
      return [reply.line];
    default:
      return [];
  }
}

/** The reply as one CSV record, without a line feed. */
export function csvOf(reply: Reply): Uint8Array {
  const fields = [reply.kind, ...csvFields(reply)].map(csvField);
  const record = new Uint8Array(fields.reduce((sum, field) => sum + field.length + 1, -1));
  let at = 0;
  fields.forEach((field, index) => {
    if (index > 0) record[at++] = 44;
    record.set(field, at);
    at += field.length;
  });
  return record;
}
