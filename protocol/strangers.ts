/**
 * Recognising those who speak another protocol. A web page must not be able to write to the store:
 * a browser that is made to send a request here begins with an HTTP request line or a TLS hello,
 * and nothing that follows it may run as a command.
 *
 * @module
 */

import { skipBlanks, wordEnd } from "./words.ts";
import { verbNumber, verbs } from "./verbs.ts";

/** True when a connection's first bytes are a TLS hello: a handshake record of TLS 1.x. */
export function isTlsHello(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 2 && bytes[start] === 0x16 && bytes[start + 1] === 0x03;
}

const decoder = new TextDecoder("latin1");

/** The bytes of ` HTTP/1.1`. */
const versionBytes = 9;

/**
 * True when a connection's first line is `METHOD target HTTP/1.x`.
 *
 * One line of this protocol looks the same: `SET key HTTP/1.1`. SET is no method of HTTP, and a
 * page that sent it would be announced by an OPTIONS request first; so it is HTTP only where its
 * target is one of HTTP, a path or an address.
 */
export function isHttp(bytes: Uint8Array, start: number, end: number): boolean {
  const method = skipBlanks(bytes, start, end);
  const methodEnd = wordEnd(bytes, method, end);
  const target = skipBlanks(bytes, methodEnd, end);
  const targetEnd = wordEnd(bytes, target, end);
  if (methodEnd === method || targetEnd === target) return false;
  const version = skipBlanks(bytes, targetEnd, end);
  if (end - version < versionBytes - 1 || end - version > versionBytes) return false;
  if (!/^HTTP\/1\.[0-9] ?$/i.test(decoder.decode(bytes.subarray(version, end)))) return false;
  return verbNumber(bytes, method, methodEnd) !== verbs.SET ||
    isHttpTarget(bytes, target, targetEnd);
}

/**
 * True when a first line that is too long to be kept may have been an HTTP request line: a method,
 * one blank, and a target of HTTP that goes on to where the line was cut.
 */
export function isHttpStart(bytes: Uint8Array, start: number, end: number): boolean {
  const method = skipBlanks(bytes, start, end);
  const methodEnd = wordEnd(bytes, method, end);
  const target = skipBlanks(bytes, methodEnd, end);
  if (methodEnd === method || target === end || !isHttpTarget(bytes, target, end)) return false;
  return wordEnd(bytes, target, end) >= end - versionBytes;
}

function isHttpTarget(bytes: Uint8Array, start: number, end: number): boolean {
  const head = decoder.decode(bytes.subarray(start, Math.min(end, start + 16)));
  return /^(?:\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(head);
}
