/**
 * Reads the address of one side of a copy, and finds its password. No message shows a password.
 *
 * @module
 */

import type { RedisAddress } from "../copy/mod.ts";
import { portDefault } from "../protocol.ts";
import { type Environment, environment } from "./parse.ts";
import { readPassword, readToken } from "./token.ts";
import { UsageError } from "./usage_error.ts";
import { readAddress, showAddress } from "./values.ts";

/** The port of Redis where an address names none. */
const redisPortDefault = 6379;

/** The largest number of a database. */
const databaseMax = 2 ** 31 - 1;

const forms = "give redis://HOST:PORT, rediss://HOST:PORT, blink://HOST:PORT, unix:///PATH " +
  "or HOST:PORT";

/** An address as it is typed. */
export interface CopyAddress extends RedisAddress {
  /** True for an address of Blink Store, whose password is its token. */
  readonly isBlink: boolean;
}

/**
 * Reads `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, the same with `rediss://` or `blink://`,
 * `unix:///PATH[?db=DATABASE]`, or `HOST:PORT`.
 *
 * @throws {UsageError} for any other text.
 */
export function readCopyAddress(text: string): CopyAddress {
  if (!text.includes("://")) {
    const at = readAddress(text);
    return { at, tls: false, database: 0, shown: showAddress(at), isBlink: true };
  }
  // The text itself may hold a password, so it is in no message.
  const url = URL.parse(text);
  const scheme = text.slice(0, text.indexOf(":")).toLowerCase();
  if (!["redis", "rediss", "blink", "unix"].includes(scheme)) {
    throw new UsageError(`unknown scheme ${scheme}://: ${forms}`);
  }
  if (url === null || url.hash !== "") {
    throw new UsageError(
      `not an address: ${forms}; in a password, write %23 for #, %2F for /, %3A for :, %40 for @`,
    );
  }
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username !== undefined && password === undefined && scheme !== "unix") {
    throw new UsageError(`the address has a user and no password: give both, or :PASSWORD@`);
  }
  const login = { ...(username && { username }), ...(password && { password }) };
  return scheme === "unix" ? { ...unixFrom(url), ...login } : { ...tcpFrom(url, scheme), ...login };
}

function tcpFrom(url: URL, scheme: string): CopyAddress {
  if (url.hostname === "" || url.search !== "") throw new UsageError(`not an address: ${forms}`);
  const isBlink = scheme === "blink";
  const at = {
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? isBlink ? portDefault : redisPortDefault : Number(url.port),
  };
  const database = readDatabase(url.pathname.slice(1));
  const shown = `${scheme}://${showAddress(at)}${isBlink ? "" : `/${database}`}`;
  return { at, tls: scheme === "rediss", database, shown, isBlink };
}

function unixFrom(url: URL): CopyAddress {
  const path = decoded(url.pathname) ?? "";
  if (url.hostname !== "" || path === "" || path === "/") {
    throw new UsageError("unix:// takes a whole path: give unix:///PATH");
  }
  const database = readDatabase(url.searchParams.get("db") ?? "");
  const shown = `unix://${path}${database === 0 ? "" : `?db=${database}`}`;
  return { at: { unix: path }, tls: false, database, shown, isBlink: false };
}

function readDatabase(text: string): number {
  if (text === "") return 0;
  if (!/^\d+$/.test(text) || Number(text) > databaseMax) {
    throw new UsageError(`"${text}" is not a database: give its number, such as 0`);
  }
  return Number(text);
}

/** A part of an address; `undefined` where it is empty. */
function decoded(part: string): string | undefined {
  if (part === "") return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new UsageError("a % in an address begins two hexadecimal digits: write %25 for %");
  }
}

/**
 * The address with its password: the one in the address, else that of a file or variable, else the
 * token of Blink Store.
 *
 * @param file The file that a flag or its variable names.
 * @param variable The variable that may hold the password itself.
 * @throws {UsageError} when both the address and a file have a password.
 */
export async function withPassword(
  address: CopyAddress,
  file: string | undefined,
  variable: string,
  env: Environment = environment,
): Promise<CopyAddress> {
  if (address.password !== undefined) {
    if (file === undefined) return address;
    throw new UsageError(`${address.shown}: its password is in the address and in ${file}`);
  }
  const password = await readPassword(file, variable, env) ??
    (address.isBlink ? await readToken(env("BLINK_TOKEN_FILE") || undefined, env) : undefined);
  return password === undefined ? address : { ...address, password };
}

/** True when two addresses name one store. */
export function isSameStore(one: RedisAddress, other: RedisAddress): boolean {
  return JSON.stringify([one.at, one.database]) === JSON.stringify([other.at, other.database]);
}
