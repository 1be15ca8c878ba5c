/**
 * The options of `connect` and `pool`, and their defaults. Every limit is here; its unit is in its
 * name.
 *
 * @module
 */

import { hostDefault, portDefault } from "../protocol.ts";
import { BlinkError } from "./errors.ts";
import type { Transport } from "./socket.ts";

/** The limits of a client; {@linkcode ConnectOptions} can set each. */
export interface ClientLimits {
  /** How long a call waits for its reply, in milliseconds, unless the call has its own. */
  timeoutMs: number;
  /** How long calls wait for a connection to be made, in milliseconds, all attempts together. */
  connectTimeoutMs: number;
  /** How many attempts to connect are made for the calls that wait; `connect` makes one. */
  connectAttemptsMax: number;
  /**
   * The pause after the first failed attempt, in milliseconds; it doubles with each, with jitter.
   */
  backoffMsMin: number;
  /** The longest pause between attempts, in milliseconds. */
  backoffMsMax: number;
  /**
   * How long a connection may stay silent after one of its calls timed out or was stopped, in
   * milliseconds, before it is closed; the next call makes a new one.
   */
  silenceMsMax: number;
  /** How long `close` waits for the calls that are still pending, in milliseconds. */
  closeTimeoutMs: number;
  /** How many requests may be in flight; further calls wait their turn. */
  inFlightMax: number;
  /** How many bytes of requests may wait to be sent; a call beyond that is rejected. */
  queuedBytesMax: number;
  /** The longest reply line taken, in bytes; a longer one closes the connection. */
  replyBytesMax: number;
}

/** The address and the limits that hold by default. */
export const clientDefaults: Readonly<ClientLimits> & {
  readonly hostname: string;
  readonly port: number;
} = {
  hostname: hostDefault,
  port: portDefault,
  timeoutMs: 10_000,
  connectTimeoutMs: 5_000,
  connectAttemptsMax: 10,
  backoffMsMin: 50,
  backoffMsMax: 2_000,
  silenceMsMax: 10_000,
  closeTimeoutMs: 5_000,
  inFlightMax: 10_000,
  queuedBytesMax: 256 * 1024 * 1024,
  replyBytesMax: 256 * 1024 * 1024,
};

/** Where the server is, how to reach it, and the limits of the client. */
export interface ConnectOptions extends Partial<ClientLimits> {
  /** The server's host name or address; 127.0.0.1 when left out. */
  hostname?: string;
  /** The server's TCP port; 8765 when left out. */
  port?: number;
  /** The path of the server's Unix domain socket, instead of a host and a port. */
  unix?: string;
  /** The token that every connection logs in with, where the server requires one. */
  token?: string;
  /**
   * Opens a pair of streams to use instead of a socket: to a store in this process, over TLS, in a
   * test. It is called for every connection.
   */
  transport?: () => Transport | Promise<Transport>;
  /** Stops the first attempt to connect. */
  signal?: AbortSignal;
}

/** {@linkcode ConnectOptions} with every limit filled in and checked. */
export interface Settings extends ClientLimits {
  readonly hostname: string;
  readonly port: number;
  readonly unix?: string;
  readonly token?: string;
  readonly transport?: () => Transport | Promise<Transport>;
}

const wholeNumbers = ["connectAttemptsMax", "inFlightMax", "queuedBytesMax", "replyBytesMax"];
const limitNames = Object.keys(clientDefaults).filter((name) =>
  name !== "hostname" && name !== "port"
) as (keyof ClientLimits)[];

function checkLimit(name: string, value: number): number {
  if (!(value > 0)) {
    throw new BlinkError("usage", `Cannot use ${name} ${value}: it must be above 0`);
  }
  if (wholeNumbers.includes(name) && !Number.isInteger(value) && value !== Infinity) {
    throw new BlinkError("usage", `Cannot use ${name} ${value}: it must be a whole number`);
  }
  return value;
}

/** Fills in the defaults; throws a `usage` error for a limit or a token that is not valid. */
export function settingsFrom(options: ConnectOptions): Settings {
  const limits = Object.fromEntries(
    limitNames.map((name) => [name, checkLimit(name, options[name] ?? clientDefaults[name])]),
  ) as unknown as ClientLimits;
  if (options.token !== undefined) checkToken(options.token);
  return {
    ...limits,
    backoffMsMax: Math.min(limits.backoffMsMax, limits.connectTimeoutMs / 2),
    hostname: options.hostname ?? clientDefaults.hostname,
    port: options.port ?? clientDefaults.port,
    unix: options.unix,
    token: options.token,
    transport: options.transport,
  };
}

/**
 * The token itself; throws a `usage` error, without the token in it, if the wire cannot carry it.
 */
export function checkToken(token: string): string {
  if (
    typeof token !== "string" || token.length === 0 || /[ \t\r\n]/.test(token) ||
    !token.isWellFormed()
  ) {
    throw new BlinkError("usage", "Cannot use the token: it is empty or holds a blank");
  }
  return token;
}
