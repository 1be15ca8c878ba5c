/**
 * Calls with options → request lines. What keys, values and numbers may be is checked by the codec
 * that these lines are made with.
 *
 * @module
 */

import type { GetOptions, IncrementOptions, PutCondition, PutOptions } from "./call_options.ts";
import { base64Of, checkedKey, secondsText, type Value } from "./codec.ts";
import { BlinkError } from "./errors.ts";

/** The option words of a PUT. */
export function putWords(options: PutOptions): string[] {
  const words: string[] = [];
  if (options.ttl !== undefined) words.push(`ttl=${secondsText(options.ttl)}`);
  if (options.keepTtl) words.push("keepttl");
  if (options.if !== undefined) words.push(conditionWord(options.if));
  return words;
}

function conditionWord(condition: PutCondition): string {
  if (condition === "absent" || condition === "present") return condition;
  return `match=${base64Of(condition.match)}`;
}

/** `DELETE key match=BASE64` */
export function deleteMatchLine(key: string, match: Value): string {
  return `DELETE ${checkedKey(key)} match=${base64Of(match)}`;
}

/** `INCR key by [ttl=S]` */
export function incrementLine(key: string, by: number | bigint, { ttl }: IncrementOptions): string {
  if (typeof by !== "bigint" && !Number.isSafeInteger(by)) {
    throw new BlinkError("usage", `Cannot add ${by}: it is not a whole number held exactly`);
  }
  const line = `INCR ${checkedKey(key)} ${by}`;
  return ttl === undefined ? line : `${line} ttl=${secondsText(ttl)}`;
}

/** `GET key [ttl=S]` */
export function getLine(key: string, options: GetOptions): string {
  const line = `GET ${checkedKey(key)}`;
  return options.ttl === undefined ? line : `${line} ttl=${secondsText(options.ttl)}`;
}

/** `MGET key ...` */
export function manyLine(keys: readonly string[]): string {
  return `MGET ${keys.map(checkedKey).join(" ")}`;
}
