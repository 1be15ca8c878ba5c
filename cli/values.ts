/**
 * Readers for the values of flags: text in, value out. Each returns the value or throws a
 * {@linkcode UsageError} that names the forms it takes; none of them reads a file, a clock or the
 * environment.
 *
 * @module
 */

import { hostDefault, portDefault } from "../protocol.ts";
import type { Range } from "./option.ts";
import { UsageError } from "./usage_error.ts";

/** An address of TCP. */
export interface Address {
  /** A name or an IP address, without brackets. */
  readonly hostname: string;
  /** 0 to 65,535; 0 lets the system pick a free one. */
  readonly port: number;
}

const units = { "": 1, b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 } as const;

/** Reads a size in bytes: `10485760`, `512KiB`, `10MiB`, `2GiB`. */
export function readBytes(text: string, range: Range = {}): number {
  const [, digits, unit] = /^(\d+)(|b|kib|mib|gib|tib)$/.exec(text.toLowerCase()) ?? [];
  if (digits === undefined) {
    throw new UsageError(
      `"${text}" is not a size: give bytes, or a binary unit as in 512KiB, 10MiB or 2GiB`,
    );
  }
  const bytes = Number(digits) * units[unit as keyof typeof units];
  return within(bytes, text, range, showBytes);
}

/** Reads a whole number. */
export function readCount(text: string, range: Range = {}): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`"${text}" is not a whole number`);
  return within(Number(text), text, { min: 0, ...range }, String);
}

/** Reads seconds, decimals allowed. */
export function readSeconds(text: string, range: Range = {}): number {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text)) {
    throw new UsageError(`"${text}" is not a number of seconds: give one such as 30 or 0.5`);
  }
  return within(Number(text), text, range, String);
}

/** Reads a number, decimals allowed. */
export function readNumber(text: string, range: Range = {}): number {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text)) throw new UsageError(`"${text}" is not a number`);
  return within(Number(text), text, range, String);
}

/** Reads a port. */
export function readPort(text: string, range: Range = {}): number {
  const bounds = { min: 0, max: 65_535, ...range };
  if (!/^\d+$/.test(text)) {
    throw new UsageError(`"${text}" is not a port: give a number from ${bounds.min} to 65535`);
  }
  return within(Number(text), text, bounds, String);
}

/** Reads `HOST:PORT`, `[IPV6]:PORT` or `:PORT`, which is the port on the loopback address. */
export function readAddress(text: string): Address {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F.]*:[0-9a-fA-F:.]*(?:%[\w.-]+)?)\]|([^:[\]\s/]*)):(\d+)$/.exec(text) ?? [];
  if (port === undefined) {
    throw new UsageError(
      `"${text}" is not an address: give HOST:PORT, such as ${hostDefault}:${portDefault}, ` +
        `[::1]:${portDefault} or :0`,
    );
  }
  return { hostname: (bracketed ?? plain) || hostDefault, port: readPort(port) };
}

/** Reads the mode of a file in octal digits, `0660`. */
export function readMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) {
    throw new UsageError(`"${text}" is not a file mode: give octal digits, such as 0600 or 0660`);
  }
  return parseInt(text, 8);
}

/** Reads `on` or `off`. */
export function readOnOrOff(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new UsageError(`"${text}" is neither on nor off`);
}

/** Reads when changes reach the disk. */
export function readSyncMode(text: string): "always" | "interval" | "off" {
  if (text === "always" || text === "interval" || text === "off") return text;
  throw new UsageError(`"${text}" is not a sync mode: give always, interval or off`);
}

/** Reads the name of an event loop. */
export function readEventLoop(text: string): "auto" | "epoll" | "portable" {
  if (text === "auto" || text === "epoll" || text === "portable") return text;
  throw new UsageError(`"${text}" is not an event loop: give auto, epoll or portable`);
}

/** Reads a number of threads, or `auto`. */
export function readThreads(text: string, range: Range = {}): number | "auto" {
  if (text === "auto") return text;
  if (!/^\d+$/.test(text)) {
    throw new UsageError(`"${text}" is not a number of threads: give auto, or one such as 2`);
  }
  return within(Number(text), text, range, String);
}

/** Reads a path or another text that may not be empty. */
export function readText(text: string): string {
  if (text === "") throw new UsageError("needs a value");
  return text;
}

/** Shows a size in the largest binary unit that divides it: `10 MiB`, `1000 bytes`. */
export function showBytes(bytes: number): string {
  const [unit, size] = unitOf(bytes);
  return `${bytes / size} ${unit}`;
}

/** Shows a size as one types it: `10MiB`, `1000`. */
export function typedBytes(bytes: number): string {
  const [unit, size] = unitOf(bytes);
  return size === 1 ? String(bytes) : `${bytes / size}${unit}`;
}

/** The largest unit that divides a size, and its bytes. */
function unitOf(bytes: number): [unit: string, size: number] {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const size = units[unit.toLowerCase() as keyof typeof units];
    if (bytes >= size && bytes % size === 0) return [unit, size];
  }
  return ["bytes", 1];
}

/** Shows an address as {@linkcode readAddress} reads it. */
export function showAddress({ hostname, port }: Address): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function within(
  value: number,
  text: string,
  { min, max }: Range,
  show: (n: number) => string,
): number {
  if (min !== undefined && value < min) throw new UsageError(`"${text}" is less than ${show(min)}`);
  if (max !== undefined && value > max) throw new UsageError(`"${text}" is more than ${show(max)}`);
  if (!Number.isSafeInteger(Math.floor(value))) throw new UsageError(`"${text}" is too large`);
  return value;
}
