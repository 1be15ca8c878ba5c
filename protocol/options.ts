/**
 * The option word of GET, PUT, DELETE and INCR: a comma-separated list of names, some with `=` and
 * a value. Which command has which option is told by the table of commands.
 *
 * @module
 */

import { decodeBase64InPlace } from "./base64.ts";
import { type Command, commands } from "./commands.ts";
import { parseSeconds } from "./numbers.ts";
import { type Problem, problem, secondsRange, unknownOption } from "./problems.ts";
import type { Request } from "./request.ts";

/** Every option there is. */
const optionNames = ["ttl=", "keepttl", "b64", "absent", "present", "match="] as const;
type OptionName = typeof optionNames[number];

/** For each verb, the options it has. */
const optionsOf: readonly (readonly string[])[] = commands.map((command: Command) =>
  command.args.flatMap((argument) => argument.options ?? [])
);
for (const option of optionsOf.flat()) {
  if (!optionNames.some((name) => name === option)) {
    throw new Error(`Cannot parse the option ${option} of the table of commands`);
  }
}

const comma = 0x2c;
const minus = 0x2d;

const badTtl = problem("bad_option", `option ttl takes ${secondsRange}`);
const badMatch = problem("bad_option", "option match: not base64");
const decoder = new TextDecoder("latin1");

/** True for the word that stands for no options. */
export function noOptions(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 1 && bytes[start] === minus;
}

/** Reads an option word into the request; returns the problem that it has. */
export function parseOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
  request: Request,
): Problem | undefined {
  const seen: OptionName[] = [];
  for (let at = start; at <= end;) {
    let optionEnd = at;
    while (optionEnd < end && bytes[optionEnd] !== comma) optionEnd++;
    const option = optionAt(bytes, at, optionEnd, request.verb);
    if (option === undefined) return unknownOption(bytes, at, optionEnd);
    const wrong = contradiction(seen, option) ??
      apply(option, bytes, at + option.length, optionEnd, request);
    if (wrong !== undefined) return wrong;
    seen.push(option);
    at = optionEnd + 1;
  }
  return undefined;
}

function optionAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  verb: number,
): OptionName | undefined {
  // The longest name is short, so a long value is not made into a string here.
  const head = decoder.decode(bytes.subarray(start, Math.min(end, start + 8))).toLowerCase();
  return optionNames.find((name) =>
    optionsOf[verb].includes(name) &&
    (name.endsWith("=") ? head.startsWith(name) : head === name)
  );
}

/** Options of one group exclude each other. */
const groupOf: Readonly<Record<OptionName, string>> = {
  "ttl=": "expiry",
  "keepttl": "expiry",
  "b64": "form",
  "absent": "condition",
  "present": "condition",
  "match=": "condition",
};

function bare(option: OptionName): string {
  return option.replace("=", "");
}

function contradiction(seen: readonly OptionName[], option: OptionName): Problem | undefined {
  const other = seen.find((name) => groupOf[name] === groupOf[option]);
  if (other === undefined) return undefined;
  return problem(
    "bad_option",
    other === option
      ? `option ${bare(option)} is given twice`
      : `options ${bare(other)} and ${bare(option)} exclude each other`,
  );
}

function apply(
  option: OptionName,
  bytes: Uint8Array,
  start: number,
  end: number,
  request: Request,
): Problem | undefined {
  switch (option) {
    case "ttl=": {
      const milliseconds = parseSeconds(bytes, start, end);
      if (Number.isNaN(milliseconds)) return badTtl;
      request.expiry = milliseconds;
      return undefined;
    }
    case "keepttl":
      request.expiry = "keep";
      return undefined;
    case "b64":
      request.base64 = true;
      return undefined;
    case "absent":
    case "present":
      request.condition = option;
      return undefined;
    case "match=":
      request.condition = "match";
      request.matchStart = start;
      request.matchEnd = decodeBase64InPlace(bytes, start, end);
      return request.matchEnd < 0 ? badMatch : undefined;
  }
}
