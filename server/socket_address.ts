/**
 * Socket addresses as Linux has them in memory, and as text.
 *
 * @module
 */

import { AF_INET, AF_INET6, AF_UNIX, outside } from "./libc.ts";

/** The longest path of a Unix socket, in bytes. */
export const unixPathBytesMax = 107;

/** A buffer of this size takes any address. */
export const socketAddressBytesMax = 128;

/** A numeric IP address and its zone, the name or number of a network interface behind a `%`. */
export function withoutZone(hostname: string): [address: string, zone: string | undefined] {
  const at = hostname.includes(":") ? hostname.indexOf("%") : -1;
  return at < 0 ? [hostname, undefined] : [hostname.slice(0, at), hostname.slice(at + 1)];
}

/**
 * The `sockaddr` of a numeric IP address without a zone; undefined for anything else. IPv6
 * addresses that hold on one network only need the number of its interface.
 */
export function ipSocketAddress(
  hostname: string,
  port: number,
  interfaceNumber = 0,
): Uint8Array<ArrayBuffer> | undefined {
  const four = ipv4Bytes(hostname);
  if (four !== undefined) {
    const address = outside(16);
    new DataView(address.buffer).setUint16(0, AF_INET, true);
    new DataView(address.buffer).setUint16(2, port);
    address.set(four, 4);
    return address;
  }
  const six = ipv6Bytes(hostname);
  if (six === undefined) return undefined;
  const address = outside(28);
  new DataView(address.buffer).setUint16(0, AF_INET6, true);
  new DataView(address.buffer).setUint16(2, port);
  address.set(six, 8);
  new DataView(address.buffer).setUint32(24, interfaceNumber, true);
  return address;
}

/** The `sockaddr` of a Unix socket; undefined when its path is too long. */
export function unixSocketAddress(path: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > unixPathBytesMax || bytes.includes(0)) return undefined;
  const address = outside(2 + bytes.length + 1);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(bytes, 2);
  return address;
}

/** Reads an IP address; undefined for another kind. */
export function readSocketAddress(
  address: Uint8Array<ArrayBuffer>,
): { hostname: string; port: number } | undefined {
  const view = new DataView(address.buffer, address.byteOffset);
  const family = view.getUint16(0, true);
  if (family === AF_INET) {
    return { hostname: address.subarray(4, 8).join("."), port: view.getUint16(2) };
  }
  if (family !== AF_INET6) return undefined;
  return { hostname: ipv6Text(address.subarray(8, 24)), port: view.getUint16(2) };
}

/** An address as CLIENT LIST shows it: `127.0.0.1:8765`, `[::1]:8765`. */
export function addressText({ hostname, port }: { hostname: string; port: number }): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** The path of a Unix socket's address of so many bytes; empty for one without a name. */
export function readUnixPath(address: Uint8Array<ArrayBuffer>, bytes: number): string {
  const path = address.subarray(2, bytes);
  const end = path.indexOf(0);
  return new TextDecoder().decode(end < 0 ? path : path.subarray(0, end));
}

function ipv4Bytes(text: string): number[] | undefined {
  const parts = text.split(".");
  const isAddress = parts.length === 4 &&
    parts.every((part) => /^\d{1,3}$/.test(part) && String(Number(part)) === part) &&
    parts.every((part) => Number(part) <= 255);
  return isAddress ? parts.map(Number) : undefined;
}

function ipv6Bytes(text: string): number[] | undefined {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return undefined;
  let canonical: string;
  try {
    // It reads every form, and leaves groups of hexadecimal digits with at most one gap.
    canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [head, tail] = canonical.split("::").map((side) => side === "" ? [] : side.split(":"));
  const gap = tail === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array<string>(gap).fill("0"), ...(tail ?? [])];
  return groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]);
}

function ipv6Text(bytes: Uint8Array): string {
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  if (isMapped) return `::ffff:${bytes.subarray(12).join(".")}`;
  const groups: string[] = [];
  for (let n = 0; n < 16; n += 2) groups.push((bytes[n] << 8 | bytes[n + 1]).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}
