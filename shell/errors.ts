/**
 * Errors as the shell shows them: one line that says what failed and what to do about it. Also how
 * the shell closes a store that may no longer answer.
 *
 * @module
 */
import { escapeText } from "./escape.ts";
import type { ShellStore } from "./options.ts";
import { pause } from "./timing.ts";

/** How long the shell waits for a store to close, in milliseconds. */
const closeWaitMs = 500;

/** The kind of a client library's error; undefined for any other. */
export function errorKind(error: unknown): string | undefined {
  const kind = error instanceof Error && "kind" in error ? error.kind : undefined;
  return typeof kind === "string" ? kind : undefined;
}

function messageOf(error: unknown): string {
  return escapeText(error instanceof Error ? error.message : String(error));
}

/** An error that ends the client: at its start, or in a script. */
export function fatalErrorText(error: unknown): string {
  const message = messageOf(error);
  switch (errorKind(error)) {
    case "connection":
      return message.startsWith("Cannot connect")
        ? `${message}; is a server running there? "blink-store serve" starts one`
        : message;
    case "auth":
      return `${message}; give the token in BLINK_TOKEN or by --token-file`;
    default:
      return message;
  }
}

/** An error after which the session goes on. */
export function recoverableErrorText(error: unknown): string {
  const lost = errorKind(error) === "connection" || errorKind(error) === "timeout";
  return messageOf(error) + (lost ? "; the next command connects again" : "");
}

/** Closes the store, without waiting long for one that does not answer. */
export async function closeStore(store: ShellStore): Promise<void> {
  const closed = new AbortController();
  const closing = Promise.resolve(store.close()).catch(() => {}).finally(() => closed.abort());
  await Promise.race([closing, pause(closeWaitMs, closed.signal)]);
}
