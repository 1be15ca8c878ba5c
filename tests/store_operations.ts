/**
 * The operations that random programs on a store consist of.
 *
 * @module
 */

/** The arguments of a put: keys are numbered, lengths are in bytes, times in milliseconds. */
export interface Put {
  key: number;
  length: number;
  fill: number;
  ttl: number | undefined;
}

/** One operation. A slot is one of a few places for puts that are under way. */
export type Operation =
  | { do: "put" } & Put
  | { do: "startPut"; slot: number } & Put
  | { do: "stepPut"; slot: number }
  | { do: "cancelPut"; slot: number }
  | { do: "get"; key: number }
  | { do: "delete"; key: number }
  | { do: "expire"; key: number; ttl: number | undefined }
  | { do: "wait"; ms: number }
  | { do: "sweep" }
  | { do: "sweepOnce" }
  | { do: "scan"; count: number }
  | { do: "flush"; prefix: string }
  | { do: "startFlush"; prefix: string }
  | { do: "stepFlush"; nth: number }
  | { do: "flushAll" }
  | { do: "setLimit"; share: number }
  | { do: "changeLimit" }
  | { do: "fail"; allocations: number };

/** The name of a numbered key: most are short, one in 31 is long, one is empty. */
export function keyNamed(key: number): string {
  if (key === 3) return "";
  return `k${key.toString(36)}${key % 31 === 7 ? "-long".repeat(50 + key % 400) : ""}`;
}

/** A value of a length whose first and last bytes come from a number. */
export function valueOf(length: number, fill: number): Uint8Array {
  const value = new Uint8Array(length).fill(fill & 0xff);
  if (length > 1) value[length - 1] = fill >>> 8;
  return value;
}
