/**
 * Random requests of the Redis wire about values, for tests that compare replies.
 *
 * @module
 */

import type { Below, KeyRequest } from "./redis_key_requests.ts";

const keys = ["a", "b", "c", "d", "two words", "\r\n", "é"];
const values = [
  "",
  "x",
  "0",
  "-1",
  "ex",
  "abcdefghij",
  "\r\n",
  "é",
  "y".repeat(45),
  "z".repeat(9000),
];
const places = ["0", "1", "2", "5", "9", "10", "44", "100", "-1", "-2", "-5", "-10", "-46", "-100"];
/** Most are no places in a value. */
const oddNumbers = [
  "x",
  "",
  "1.5",
  "+1",
  " 1",
  "01",
  "-0",
  "9007199254740993",
  "9223372036854775807",
  "-9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
];
/** Beyond the longest string of Redis, or just too long with one byte more. */
const farOffsets = ["536870912", "9223372036854775807", "536870911999", "-9223372036854775808"];

/** Makes a random request; `now` is a fixed time near the present, in seconds since 1970. */
export function stringRequest(below: Below, now: number): KeyRequest {
  const one = <Item>(items: readonly Item[]): Item => items[below(items.length)];
  const cased = (text: string) => below(8) === 0 ? text.toLowerCase() : text;
  const exact = (...args: string[]): KeyRequest => ({
    args: [cased(args[0]), ...args.slice(1)],
    comparison: "exact",
  });
  const key = () => one(keys);
  const value = () => one(values);
  const place = () => below(6) === 0 ? one(oddNumbers) : one(places);
  const some = <Item>(most: number, make: () => Item) =>
    Array.from({ length: 1 + below(most) }, make);
  const pairs = () => {
    const args = some(4, () => [key(), value()]).flat();
    // One argument less is sometimes too few.
    return below(8) === 0 ? args.slice(0, -1) : args;
  };
  // No time of these comes while the test runs, and some are over already.
  const time = () => below(5) === 0 ? one(oddNumbers) : `${one([1000, 5000, 0, -1])}`;
  const moment = (unit: number) =>
    below(5) === 0 ? one(oddNumbers) : `${(now + one([1000, 5000, -1000])) * unit}`;
  const timeOptions = () =>
    one([
      () => ["EX", time()],
      () => ["PX", below(4) === 0 ? time() : "5000000"],
      () => ["EXAT", moment(1)],
      () => ["PXAT", moment(1000)],
      () => ["EX"],
    ])().map(cased);
  // IFEQ came with Redis 8.1, so it is not compared.
  const setOptions = () =>
    Array.from(
      { length: below(4) },
      () =>
        one([
          () => ["NX"],
          () => ["XX"],
          () => ["GET"],
          () => ["KEEPTTL"],
          timeOptions,
          () => ["no"],
        ])(),
    ).flat().map(cased);
  const getexOptions = () =>
    one([() => [], () => ["PERSIST"], timeOptions, timeOptions, setOptions])();
  const ttl = (): KeyRequest => ({ args: ["TTL", key()], comparison: "seconds" });
  const pexpiretime = (): KeyRequest => ({
    args: ["PEXPIRETIME", key()],
    comparison: "milliseconds",
  });
  const makers: (() => KeyRequest)[] = [
    () => exact("SET", key(), value()),
    () => exact("SET", key(), value(), ...setOptions()),
    () => exact("SET", key(), value(), ...setOptions()),
    () => exact("SET", key(), value(), ...setOptions()),
    () => exact("GET", key()),
    () => exact("GET", key()),
    () => exact("GETEX", key(), ...getexOptions()),
    () => exact("GETEX", key(), ...getexOptions()),
    () => exact("GETDEL", key()),
    () => exact("GETSET", key(), value()),
    () => exact("SETNX", key(), value()),
    () => exact("SETEX", key(), time(), value()),
    () => exact("PSETEX", key(), below(4) === 0 ? time() : "5000000", value()),
    () => exact("MGET", ...some(5, () => below(5) === 0 ? "none" : key())),
    () => exact("MSET", ...pairs()),
    () => exact("MSETNX", ...pairs()),
    () => exact("STRLEN", key()),
    () => exact("APPEND", key(), value()),
    () => exact(one(["GETRANGE", "SUBSTR"]), key(), place(), place()),
    () => exact("GETRANGE", key(), place(), place()),
    () => exact("SETRANGE", key(), place(), value()),
    () => exact("SETRANGE", key(), below(8) === 0 ? one(farOffsets) : place(), value()),
    () => exact("DEL", ...some(3, key)),
    () => exact("DEL", key()),
    () => exact("EXISTS", ...some(3, key)),
    () =>
      exact(one(["MGET", "MSET", "MSETNX", "STRLEN", "APPEND", "GETRANGE", "SETRANGE", "GETEX"])),
    ttl,
    ttl,
    pexpiretime,
  ];
  return one(makers)();
}
