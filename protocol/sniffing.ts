/**
 * Protocol sniffing: recognizes clients of other protocols by their first bytes, so that a web page
 * cannot write to the store. A browser that a page makes send a request here begins with an HTTP
 * request line, an HTTP/2 preface or a TLS hello; nothing that follows may run as a command.
 *
 * @module
 */

import { skipBlanks, wordEnd } from "./tokenizer.ts";

/** True when a connection's first bytes are a TLS hello: a handshake record of TLS 1.x. */
export function isTlsHello(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 2 && bytes[start] === 0x16 && bytes[start + 1] === 0x03;
}

const decoder = new TextDecoder("latin1");

/** The bytes of `HTTP/1.1`, and a blank after it. */
const versionBytesMax = 9;

/**
 * True when a connection's first line is an HTTP request line: three words, the third `HTTP/1.x`,
 * or the HTTP/2 preface `PRI * HTTP/2.0`.
 *
 * One request of this protocol looks the same: `SET key HTTP/1.1`. SET is not a method of HTTP, and
 * a browser would send an OPTIONS request before it. So a SET counts as HTTP only where its key
 * looks like a target of HTTP: a path or an address.
 */
export function isHttpRequest(bytes: Uint8Array, start: number, end: number): boolean {
  const method = skipBlanks(bytes, start, end);
  const methodEnd = wordEnd(bytes, method, end);
  const target = skipBlanks(bytes, methodEnd, end);
  const targetEnd = wordEnd(bytes, target, end);
  if (methodEnd === method || targetEnd === target) return false;
  const version = skipBlanks(bytes, targetEnd, end);
  if (end - version < versionBytesMax - 1 || end - version > versionBytesMax) return false;
  const versionText = decoder.decode(bytes.subarray(version, end));
  const methodText = decoder.decode(bytes.subarray(method, Math.min(methodEnd, method + 4)));
  if (/^HTTP\/2\.[0-9] ?$/i.test(versionText)) return methodText === "PRI";
  if (!/^HTTP\/1\.[0-9] ?$/i.test(versionText)) return false;
  return !/^SET$/i.test(methodText) || isHttpTarget(bytes, target, targetEnd);
}

/**
 * True when a first line that is too long to be kept may be an HTTP request line: a method, and a
 * target of HTTP that reaches the end of `bytes[start, end)`, except for the version.
 */
export function isHttpRequestStart(bytes: Uint8Array, start: number, end: number): boolean {
  const method = skipBlanks(bytes, start, end);
  const methodEnd = wordEnd(bytes, method, end);
  const target = skipBlanks(bytes, methodEnd, end);
  if (methodEnd === method || target === end || !isHttpTarget(bytes, target, end)) return false;
  return wordEnd(bytes, target, end) >= end - versionBytesMax;
}

function isHttpTarget(bytes: Uint8Array, start: number, end: number): boolean {
  const head = decoder.decode(bytes.subarray(start, Math.min(end, start + 16)));
  return /^(?:\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(head);
}
