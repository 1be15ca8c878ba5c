/**
 * From the bytes of one line to a request. Nothing is copied: a request is a verb's number and
 * places in the line, written into an object that its owner uses again for the next line. Values
 * that come in base64 are decoded where they stand, so that they too are places in the line.
 *
 * @module
 */

import { type Argument, type Command, commands } from "./commands.ts";
import { keyBytesMax } from "./limits.ts";
import { parsePut, parseTail, parseWordOptions } from "./arguments.ts";
import { keyTooLong, missingArgument, type Problem, unknownCommand } from "./problems.ts";
import { noVerb, verbNumber, verbs } from "./verbs.ts";
import { skipBlanks, wordEnd } from "./words.ts";

/** What an expiry is to become; a number is a time to live in milliseconds. */
export type Expiry = number | "keep" | "never";

/** On what a PUT or DELETE depends. */
export type Condition = "none" | "absent" | "present" | "match";

/** One request, as places in the line that it came in. Only what its verb has is meaningful. */
export class Request {
  /** The verb's number, or `noVerb`. */
  verb: number = noVerb;
  /** Set when the line is no valid request: the reply that it gets. */
  problem: Problem | undefined = undefined;
  /** The key, or the first of several. */
  keyStart = 0;
  /** The key's end. */
  keyEnd = 0;
  /** The value; for MGET the keys; for SCAN and FLUSH the prefix; for AUTH the token. */
  valueStart = 0;
  /** The value's end. */
  valueEnd = 0;
  /** What the key's expiry is to become. */
  expiry: Expiry = "never";
  /** The condition of a PUT or DELETE. */
  condition: Condition = "none";
  /** The value to match, where `condition` is `"match"`. */
  matchStart = 0;
  /** Its end. */
  matchEnd = 0;
  /** True when the value came in base64; it is decoded by then. */
  base64 = false;
  /** SCAN's cursor. */
  cursor = 0;
  /** SCAN's count. */
  count = 0;
  /** What INCR adds. */
  by = 1n;
  /** A value that is sent in parts: a copy, so that all parts are of one value. */
  copy: Uint8Array | undefined = undefined;
  /** How much of the copy was sent. */
  copySent = 0;
}

const names: readonly string[] = commands.map(({ verb }) => verb);
/** For each verb, whether its first argument is a key that it must have. */
const takesKey: readonly boolean[] = commands.map((command: Command) =>
  command.args[0]?.kind === "key"
);
/** For each verb without a key, the argument that it must have, or "". */
const needed: readonly string[] = commands.map((command: Command) => {
  const first: Argument | undefined = command.args[0];
  return first === undefined || first.optional === true ? "" : first.name;
});

/** Reads the line `bytes[start, end)`, which holds no line feed, into `request`. */
export function parseRequest(
  bytes: Uint8Array,
  start: number,
  end: number,
  request: Request,
): void {
  const verbStart = skipBlanks(bytes, start, end);
  const verbEnd = wordEnd(bytes, verbStart, end);
  const verb = verbNumber(bytes, verbStart, verbEnd);
  request.verb = verb;
  request.problem = undefined;
  if (verb === noVerb) {
    request.problem = unknownCommand;
    return;
  }
  const at = skipBlanks(bytes, verbEnd, end);
  if (!takesKey[verb]) {
    if (at === end && needed[verb] !== "") {
      request.problem = missingArgument(names[verb], needed[verb]);
    } else {
      parseTail(bytes, at, end, request);
    }
    return;
  }
  if (at === end) {
    request.problem = missingArgument(names[verb], "key");
    return;
  }
  const keyEnd = wordEnd(bytes, at, end);
  request.keyStart = at;
  request.keyEnd = keyEnd;
  if (keyEnd - at > keyBytesMax) {
    request.problem = keyTooLong;
    return;
  }
  if (verb === verbs.GET) {
    request.expiry = "keep";
    const rest = skipBlanks(bytes, keyEnd, end);
    if (rest < end) parseWordOptions(bytes, rest, end, request);
  } else if (verb === verbs.SET) {
    request.valueStart = keyEnd < end ? keyEnd + 1 : end;
    request.valueEnd = end;
  } else if (verb === verbs.PUT) {
    parsePut(bytes, keyEnd, end, request);
  } else {
    parseTail(bytes, skipBlanks(bytes, keyEnd, end), end, request);
  }
}
