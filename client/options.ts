/**
 * What `connect` and `pool` may be told, and the limits that hold when they are not. Every limit is
 * here, under a name that ends in its unit.
 *
 * @module
 */

import { BlinkError } from "./errors.ts";
import type { Transport } from "./socket.ts";

/** The limits of a client, each of which {@linkcode ConnectOptions} can set. */
export interface ClientLimits {
  /** How long a call waits for its reply, in milliseconds, unless it says so itself. */
  timeoutMs: number;
  /** How long calls wait for a connection to be made, in milliseconds, all attempts together. */
  connectTimeoutMs: number;
  /** How many attempts are made for the calls that wait; `connect` itself makes one. */
  connectAttemptsMax: number;
  /** The pause after the first failed attempt, in milliseconds; it doubles with each, with jitter. */
  backoffMsMin: number;
  /** The longest pause between attempts, in milliseconds. */
  backoffMsMax: number;
  /**
   * How long a connection may stay silent after one of its calls timed out or was stopped, in
   * milliseconds, before it is given up and the next call makes a new one.
   */
  silenceMsMax: number;
  /** How long `close` waits for the calls that are still pending, in milliseconds. */
  closeTimeoutMs: number;
  /** How many requests may be sent and unanswered at a time; further calls wait their turn. */
  inFlightMax: number;
  /** How many bytes of requests may wait to be sent; a call beyond that is refused. */
  queuedBytesMax: number;
  /** The longest reply line taken, in bytes; a longer one closes the connection. */
  replyBytesMax: number;
}

/** The limits that hold unless {@linkcode ConnectOptions} says otherwise. */
export const clientDefaults: Readonly<ClientLimits> & {
  readonly hostname: string;
  readonly port: number;
} = {
  hostname: "127.0.0.1",
  port: 8765,
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
  /** The token to show on every connection, where the server requires one. */
  token?: string;
  /**
   * Makes the pair of streams to speak over, instead of a socket: a store in this process, a TLS
   * connection, a test. It is called again for every connection that is made.
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

/** Fills in the defaults; throws a `usage` error for a limit or a token that makes no sense. */
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

/** The token itself; throws a `usage` error, which does not tell it, if the wire cannot carry it. */
export function checkToken(token: string): string {
  if (
    typeof token !== "string" || token.length === 0 || /[ \t\r\n]/.test(token) ||
    !token.isWellFormed()
  ) {
    throw new BlinkError("usage", "Cannot use the token: it is empty or holds a blank");
  }
  return token;
}
