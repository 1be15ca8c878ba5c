/**
 * Expiry on the Redis wire: options of SET and GETEX, and times on the wall clock.
 *
 * The store has a clock of its own, which never goes back. A time on the wall clock is one on the
 * store's clock plus an offset. The offset is a whole number and stays the same until somebody sets
 * the wall clock, so that a time that was set reads the same.
 *
 * @module
 */

import { type Arguments, notAnInteger } from "../../protocol.ts";
import type { Milliseconds } from "../../store.ts";
import { wallOffsetAt } from "../../wall_clock.ts";
import type { Context } from "../context.ts";
import { integerOf, isWord } from "./words.ts";

/**
 * The latest time that is kept as it is, in milliseconds since 1970; every one up to it is exact. A
 * later one counts as this one, which is in the year 144,683.
 */
const latestMs = Math.floor(Number.MAX_SAFE_INTEGER / 2);

/** The largest number of Redis, in which a time must fit. */
const integerMax = 2n ** 63n - 1n;

/** What is added to a time on the store's clock to get one on the wall clock. */
export function wallOffset(context: Context): Milliseconds {
  return wallOffsetAt(context.store.now());
}

/** How a time is given: the unit, in milliseconds, and whether it is on the wall clock. */
export interface TimeForm {
  readonly unitMs: bigint;
  readonly isAbsolute: boolean;
}

/** Seconds and milliseconds from now, and the same since 1970. */
export const timeForms = {
  ex: { unitMs: 1000n, isAbsolute: false },
  px: { unitMs: 1n, isAbsolute: false },
  exat: { unitMs: 1000n, isAbsolute: true },
  pxat: { unitMs: 1n, isAbsolute: true },
} satisfies Readonly<Record<string, TimeForm>>;

const formWords = Object.entries(timeForms) as [string, TimeForm][];

/** The form that an option word names. */
export function timeFormNamed(
  args: Arguments,
  n: number,
  bytes: Uint8Array,
): TimeForm | undefined {
  return formWords.find(([word]) => isWord(args, n, bytes, word))?.[1];
}

/**
 * The time that an argument gives, on the store's clock; undefined where it is no integer or out of
 * range, which is answered then. Times before now are in range only if `mayBePast`.
 */
export function timeOf(
  context: Context,
  args: Arguments,
  n: number,
  bytes: Uint8Array,
  form: TimeForm,
  command: string,
  mayBePast: boolean,
): Milliseconds | undefined {
  const given = integerOf(args, n, bytes);
  if (given === undefined) return context.fail(notAnInteger);
  const ms = given * form.unitMs;
  const now = Math.floor(context.store.now());
  const offset = wallOffset(context);
  const latest = form.isAbsolute ? integerMax : integerMax - BigInt(now + offset);
  if (ms > latest || ms < -integerMax - 1n || !mayBePast && ms <= 0n) {
    const text = `ERR invalid expire time in '${command}' command`;
    return context.failRedis("bad_number", text);
  }
  const wallTime = Number(ms) + (form.isAbsolute ? 0 : now + offset);
  return Math.max(-latestMs, Math.min(latestMs, wallTime)) - offset;
}

/** A time on the store's clock as one on the wall clock, in milliseconds since 1970. */
export function wallTimeOf(context: Context, time: Milliseconds): Milliseconds {
  return time + wallOffset(context);
}
