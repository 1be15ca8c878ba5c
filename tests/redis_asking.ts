/**
 * Asks a server for commands of the Redis wire, given as words, and checks its replies byte for byte.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { ModelStore } from "./model_store.ts";
import { words } from "./redis_array.ts";
import { type ManualConnection, type ManualOptions, ManualServer } from "./server_manual.ts";

/** The reply for a key that does not exist. */
export const missing = "$-1\r\n";
export const syntaxError = "-ERR syntax error\r\n";
export const noInteger = "-ERR value is not an integer or out of range\r\n";

/** Asks for the words of a text. */
export function ask(client: ManualConnection, text: string): string {
  return client.ask(words(text));
}

/** Checks the replies to requests, one after another, each given as words. */
export function check(
  client: ManualConnection,
  exchanges: readonly [request: string, reply: string][],
): void {
  for (const [request, reply] of exchanges) assertEquals(ask(client, request), reply, request);
}

/** A text as a bulk string. */
export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** The reply to a command with too few or too many arguments. */
export function wrongNumber(name: string): string {
  return `-ERR wrong number of arguments for '${name}' command\r\n`;
}

/** Servers on a store of one thread, on one that others use, and on a model. */
export function servers(options: ManualOptions): ManualServer[] {
  const { limitBytes = 1 << 20 } = options;
  const model = new ModelStore({ limitBytes, now: () => 1000, scattered: true });
  return [
    new ManualServer(options),
    new ManualServer({ ...options, isShared: true }),
    new ManualServer({ ...options, store: model, isShared: true }),
  ];
}
