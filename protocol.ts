/**
 * The protocol's door: what both sides of the wire share. It has lines and words, arrays of the Redis
 * wire, numbers, base64, requests as offsets, replies as bytes of both wires, error replies, limits, and the recognition of other
 * protocols. It works on bytes alone and knows no sockets, no clock and no store.
 *
 * @module
 */

export { Arguments, ArrayParser, type ArrayResult, startsArray } from "./protocol/array_parser.ts";
export {
  base64Length,
  decodeBase64InPlace,
  decodeByTable,
  encodeBase64Into,
  encodeByTable,
} from "./protocol/base64.ts";
export { hostDefault, portDefault } from "./protocol/defaults.ts";
export {
  authenticationFailed,
  authenticationRequired,
  badRequest,
  echoed,
  type ErrorKind,
  errorKinds,
  type ErrorReply,
  errorReply,
  integerOverflow,
  keyTooLong,
  lineTooLong,
  missingArgument,
  notAnInteger,
  notKept,
  outOfMemory,
  secondsRange,
  serverBusy,
  tooManyConnections,
  unknownCommand,
  unknownOption,
  valueTooLarge,
  wrongValueBytes,
} from "./protocol/error_replies.ts";
export type { DataFileInfo, Info } from "./protocol/info.ts";
export { isPlainKey, quotedKeyLength, quoteKeyInto } from "./protocol/key_words.ts";
export {
  argumentBytesBeforeAuthMax,
  argumentsBeforeAuthMax,
  argumentsMax,
  keyBytesMax,
  memoryLimitBytesMax,
  scanCountDefault,
  scanCountMax,
  scanCursorMax,
  ttlSecondsMax,
  ttlSecondsMin,
} from "./protocol/limits.ts";
export { fitsInteger, parseCount, parseInteger, parseSeconds } from "./protocol/numbers.ts";
export { RedisWriter, type RespVersion } from "./protocol/redis_writer.ts";
export { type Buffers, plainBuffers, ReplyWriter } from "./protocol/reply_writer.ts";
export { type Condition, type Expiry, Request, unknownVerb } from "./protocol/request.ts";
export { isHttpRequest, isHttpRequestStart, isTlsHello } from "./protocol/sniffing.ts";
export { findLineFeed, hasLongerWord, skipBlanks, trimEnd, wordEnd } from "./protocol/tokenizer.ts";
