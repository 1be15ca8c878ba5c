/**
 * The protocol's door: the table of commands, the codec of both sides, and the limits. Bytes in,
 * bytes out; no sockets and no clock.
 *
 * @module
 */

export {
  type Argument,
  type ArgumentKind,
  type Command,
  commandNamed,
  commands,
  usageOf,
  type Verb,
} from "./protocol/commands.ts";
export {
  keyBytesMax,
  scanCountDefault,
  scanCountMax,
  ttlSecondsMax,
  ttlSecondsMin,
} from "./protocol/limits.ts";
export { type ErrorKind, errorKinds, type Problem } from "./protocol/problems.ts";
export { type Condition, type Expiry, parseRequest, Request } from "./protocol/request.ts";
export { noVerb, verbNumber, verbs } from "./protocol/verbs.ts";
export { type Buffers, Output, plainBuffers } from "./protocol/output.ts";
export { base64Length, decodeBase64InPlace, encodeBase64Into } from "./protocol/base64.ts";
export type { Info } from "./protocol/info.ts";
export { hostDefault, portDefault } from "./protocol/defaults.ts";
