/**
 * Entries as lines of JSON, for `blink-store data dump` and `data load`:
 *
 * ```json
 * {"key":"user","value":"alice","expires_at":"2030-01-01T00:00:00.000Z"}
 * {"key_base64":"/w==","value_base64":"AAE="}
 * ```
 *
 * Bytes that are UTF-8 are shown as text, others in base64. Without `expires_at` an entry does not
 * expire.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import type { Entry } from "./database.ts";

/** The longest key, in bytes. */
const keyBytesMax = 65_535;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The line of an entry, without its end. */
export function lineOf({ key, value, expiresAt }: Entry): string {
  const entry = { ...member("key", key), ...member("value", value) };
  if (expiresAt === 0) return JSON.stringify(entry);
  return JSON.stringify({ ...entry, expires_at: new Date(expiresAt).toISOString() });
}

/**
 * The entry of a line.
 *
 * @throws {Error} when the line is not one; the message says what is wrong.
 */
export function entryOf(line: string): Entry {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    throw new Error("it is not JSON");
  }
  if (typeof fields !== "object" || fields === null) throw new Error("it is not a JSON object");
  const object = fields as Record<string, unknown>;
  const key = bytesOf(object, "key");
  if (key.length > keyBytesMax) throw new Error(`its key is longer than ${keyBytesMax} bytes`);
  return { key, value: bytesOf(object, "value"), expiresAt: expiryOf(object.expires_at) };
}

function member(name: string, bytes: Uint8Array): Record<string, string> {
  try {
    return { [name]: decoder.decode(bytes) };
  } catch {
    return { [`${name}_base64`]: encodeBase64(bytes) };
  }
}

function bytesOf(object: Record<string, unknown>, name: string): Uint8Array {
  const text = object[name];
  const base64 = object[`${name}_base64`];
  if (typeof text === "string" && base64 === undefined) return encoder.encode(text);
  if (typeof base64 === "string" && text === undefined) {
    try {
      return decodeBase64(base64);
    } catch {
      throw new Error(`its ${name}_base64 is not base64`);
    }
  }
  throw new Error(`it must have ${name} or ${name}_base64, as a string`);
}

function expiryOf(time: unknown): number {
  if (time === undefined || time === null) return 0;
  const ms = typeof time === "string" ? Date.parse(time) : NaN;
  if (!(ms > 0)) throw new Error("its expires_at is not a time such as 2030-01-01T00:00:00.000Z");
  return ms;
}
