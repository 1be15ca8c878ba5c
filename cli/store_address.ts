/**
 * Finds the address of the store from a client's flags, its first words and `BLINK_STORE`. Flags
 * and words override the variable.
 *
 * @module
 */

import { hostDefault, portDefault } from "../protocol.ts";
import { type Environment, environment } from "./parse.ts";
import { UsageError } from "./usage_error.ts";
import { readAddress, readPort, showAddress } from "./values.ts";

/** Where a store is. */
export type StoreAddress =
  | { readonly unix: string }
  | { readonly hostname: string; readonly port: number };

/** The flags that name a store. */
export interface StoreFlags {
  readonly host?: string;
  readonly port?: number;
  readonly unix?: string;
}

/**
 * The store that flags, words (`HOST`, `HOST PORT` or `HOST:PORT`) and `BLINK_STORE` name.
 *
 * @throws {UsageError} when they contradict each other or are not an address.
 */
export function storeAddress(
  flags: StoreFlags,
  words: readonly string[] = [],
  env: Environment = environment,
): StoreAddress {
  if (words.length > 2) throw new UsageError(`unexpected word "${words[2]}"`);
  const typed = words.length === 0 ? {} : readWords(words);
  if (flags.unix !== undefined) {
    if (flags.host !== undefined || flags.port !== undefined || words.length > 0) {
      throw new UsageError("--unix PATH or a host and port: give one of them");
    }
    return { unix: flags.unix };
  }
  if (typed.hostname !== undefined && flags.host !== undefined) {
    throw new UsageError(`the host is given twice: --host ${flags.host} and ${typed.hostname}`);
  }
  if (typed.port !== undefined && flags.port !== undefined) {
    throw new UsageError(`the port is given twice: --port ${flags.port} and ${typed.port}`);
  }
  const hostname = flags.host ?? typed.hostname;
  const port = flags.port ?? typed.port;
  if (hostname !== undefined) return { hostname, port: port ?? portDefault };
  const set = fromEnvironment(env("BLINK_STORE"));
  if (set !== undefined && "unix" in set) {
    return port === undefined ? set : { hostname: hostDefault, port };
  }
  return { hostname: set?.hostname ?? hostDefault, port: port ?? set?.port ?? portDefault };
}

/** The address as messages show it. */
export function showStore(address: StoreAddress): string {
  return "unix" in address ? address.unix : showAddress(address);
}

function readWords([host, port]: readonly string[]): { hostname?: string; port?: number } {
  if (port !== undefined) {
    try {
      return { hostname: host, port: readPort(port, { min: 1 }) };
    } catch (error) {
      if (!(error instanceof UsageError) || /^\d/.test(port)) throw error;
      throw new UsageError(`"${host}" is not a command, and "${port}" is not a port`);
    }
  }
  if (/^\d+$/.test(host)) return { port: readPort(host, { min: 1 }) };
  return namesPort(host) ? readAddress(host) : { hostname: host };
}

/** `HOST:PORT`, `HOST`, or the path of a Unix socket. */
function fromEnvironment(text: string | undefined): StoreAddress | undefined {
  if (text === undefined || text === "") return undefined;
  if (text.includes("/")) return { unix: text };
  try {
    return namesPort(text) ? readAddress(text) : { hostname: text, port: portDefault };
  } catch (error) {
    throw new UsageError(`BLINK_STORE: ${(error as Error).message}`);
  }
}

/** True for `HOST:PORT` and `[IPV6]:PORT`, false for a name or a bare IPv6 address. */
function namesPort(text: string): boolean {
  return /^(\[.*\]|[^:]*):\d*$/.test(text);
}
