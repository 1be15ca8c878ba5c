/**
 * Random requests of the Redis wire about keys and their expiry, for tests that compare replies.
 *
 * @module
 */

/** How two replies to a request can be compared. */
export type Comparison =
  /** They are the same. */
  | "exact"
  /** They hold the same elements, in any order. */
  | "unordered"
  /** Both are a key, or neither. */
  | "any key"
  /** Both are numbers that differ by a few seconds at most. */
  | "seconds"
  /** The same in milliseconds. */
  | "milliseconds";

/** A request, and how its reply is compared. */
export interface KeyRequest {
  readonly args: readonly string[];
  readonly comparison: Comparison;
}

/** A whole number from 0 to below a bound. */
export type Below = (bound: number) => number;

const keys = [
  "a",
  "b",
  "ab",
  "key:1",
  "key:2",
  "key:10",
  'with "quotes"',
  "two words",
  "\r\n",
  "é",
];
const values = [
  "",
  "x",
  "0",
  "-1",
  "007",
  "12345678901234567890",
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
  "y".repeat(20),
  "y".repeat(21),
  "y".repeat(44),
  "y".repeat(45),
];
const patternParts = [
  ..."abk:1*?[]^-\\",
  "key",
  "**",
  "[a-k]",
  "[^a-k]",
  "[k-a]",
  "é",
  "[a-é]",
  "[^é-a]",
  "[\\]a]",
  "\\*",
  "[",
  "[^",
  '"',
  " ",
];
/** None of them is a time that soon comes. */
const numbers = ["0", "-1", "x", "", "1.5", "+2000", "9223372036854775807", "9223372036854775808"];

/** Makes a random request; `now` is a fixed time near the present, in seconds since 1970. */
export function keyRequest(below: Below, now: number): KeyRequest {
  const one = <Item>(items: readonly Item[]): Item => items[below(items.length)];
  const word = (text: string) => below(8) === 0 ? text.toLowerCase() : text;
  const exact = (...args: string[]): KeyRequest => ({
    args: [word(args[0]), ...args.slice(1)],
    comparison: "exact",
  });
  const alike = (comparison: Comparison, ...args: string[]): KeyRequest => ({ args, comparison });
  const key = () => one(keys);
  const pattern = () => Array.from({ length: 1 + below(4) }, () => one(patternParts)).join("");
  const makers: (() => KeyRequest)[] = [
    () => exact("SET", key(), one(values)),
    () => exact("SET", key(), one(values)),
    () => exact("SET", key(), one(values), "EXAT", `${now + 1000 * (1 + below(5))}`),
    () => exact("DEL", key()),
    () => exact("GET", key()),
    () => exact("TYPE", key()),
    () => exact("EXISTS", key(), key()),
    () => expiry(below, now, key(), one),
    () => expiry(below, now, key(), one),
    () => expiry(below, now, key(), one),
    () => alike("seconds", "TTL", key()),
    () => alike("milliseconds", "PTTL", key()),
    () => alike("seconds", "EXPIRETIME", key()),
    () => alike("milliseconds", "PEXPIRETIME", key()),
    () => exact("PERSIST", key()),
    () => exact("RENAME", key(), key()),
    () => exact("RENAMENX", key(), key()),
    () => exact("COPY", key(), key(), ...one([[], ["REPLACE"], ["DB", "0"], ["DB", "x"], ["no"]])),
    () => alike("unordered", "KEYS", pattern()),
    () => alike("unordered", ...scan(below, pattern(), one)),
    () => exact("SCAN", one(["x", "1x", "18446744073709551616"])),
    () => alike("any key", "RANDOMKEY"),
    () => exact("DBSIZE"),
    () => exact("OBJECT", "ENCODING", key()),
    () => exact("OBJECT", ...one([["no"], ["FREQ"], ["ENCODING"], ["ENCODING", "a", "b"]])),
    () => exact("MEMORY", ...one([["no"], ["USAGE"], ["USAGE", "none"], ["USAGE", "a", "b"]])),
    // Redis would wait for replicas, of which there are none.
    () => exact("WAIT", one(["0", "-1", "x", "1.5"]), one(numbers)),
    () =>
      below(20) > 0 ? exact("DBSIZE") : exact(one(["FLUSHALL", "FLUSHDB"]), one(["SYNC", "no"])),
  ];
  return one(makers)();
}

type One = <Item>(items: readonly Item[]) => Item;

function expiry(below: Below, now: number, key: string, one: One): KeyRequest {
  const isAbsolute = below(2) === 0;
  const options = one([[], [], ["NX"], ["XX"], ["GT"], ["LT"], ["xx", "gt"], ["NX", "XX"], ["no"]]);
  const name = `${one(["", "P"])}EXPIRE${isAbsolute ? "AT" : ""}`;
  const unit = name.startsWith("P") ? 1000 : 1;
  // Whether one relative time is later than another depends on the moment. So only absolute ones,
  // which never are near a relative one, are compared.
  const conditions = isAbsolute ? options : options.filter((word) => !/[gl]t/i.test(word));
  const seconds = isAbsolute ? now + 500 + 1000 * (below(5) - 1) : 1000 * (below(5) - 1);
  const time = below(6) === 0 ? one([...numbers, "9223372036854770000"]) : `${seconds * unit}`;
  return { args: [name, key, time, ...conditions], comparison: "exact" };
}

function scan(below: Below, pattern: string, one: One): string[] {
  const options = [["COUNT", "1000"]];
  if (below(2) === 0) options.push(["MATCH", pattern]);
  if (below(4) === 0) options.push(["TYPE", one(["string", "STRING", "list", "no"])]);
  if (below(8) === 0) options.push(one([["COUNT", "0"], ["COUNT", "x"], ["MATCH"], ["no", "x"]]));
  return ["SCAN", "0", ...options.flat()];
}
