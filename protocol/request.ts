/**
 * A request as offsets into the bytes of its line. A command's parser writes them and its execution
 * reads them. One object serves every request, so that no request allocates one.
 *
 * @module
 */

import type { ErrorReply } from "./error_replies.ts";

/** What happens to the key's expiry; a number is a time to live in milliseconds. */
export type Expiry = number | "keep" | "never";

/** What a PUT or DELETE depends on. */
export type Condition = "none" | "absent" | "present" | "match";

/** The verb number of a request without a known verb. */
export const unknownVerb = -1;

/** One request. Only the fields that its verb uses are meaningful. */
export class Request {
  /** The verb's number in the table of commands, or `unknownVerb`. */
  verb: number = unknownVerb;
  /** Set when the line is not a valid request: the reply that it gets. */
  error: ErrorReply | undefined = undefined;
  /** The key, or the first of several. */
  keyStart = 0;
  /** The end of the key. */
  keyEnd = 0;
  /** The value; for MGET all keys; for SCAN and FLUSH the prefix; for AUTH the token. */
  valueStart = 0;
  /** The end of the value. */
  valueEnd = 0;
  /** What happens to the key's expiry. */
  expiry: Expiry = "never";
  /** The condition of a PUT or DELETE. */
  condition: Condition = "none";
  /** The value to match, where `condition` is `"match"`. */
  matchStart = 0;
  /** The end of the value to match. */
  matchEnd = 0;
  /** True when the value was sent in base64. The parser has decoded it in place. */
  base64 = false;
  /** The length that the value must have, in bytes, or -1. */
  valueBytes = -1;
  /** SCAN's cursor. */
  cursor = 0;
  /** SCAN's count. */
  count = 0;
  /** What INCR adds. */
  by = 1n;
}
