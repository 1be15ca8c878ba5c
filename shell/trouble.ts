/**
 * What the shell says when something fails, in one line that tells what to do; and how it leaves a
 * store that may no longer answer.
 *
 * @module
 */
import { escapeText } from "./escape.ts";
import type { ShellStore } from "./options.ts";
import { pause } from "./timing.ts";

/** How long the shell waits for a store to say goodbye, in milliseconds. */
const closeWaitMs = 500;

/** The kind of a client library's error; undefined for any other. */
export function kindOf(error: unknown): string | undefined {
  const kind = error instanceof Error && "kind" in error ? error.kind : undefined;
  return typeof kind === "string" ? kind : undefined;
}

function messageOf(error: unknown): string {
  return escapeText(error instanceof Error ? error.message : String(error));
}

/** What went wrong where that is the end of it: at the start, or in a script. */
export function failureText(error: unknown): string {
  const message = messageOf(error);
  switch (kindOf(error)) {
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

/** What went wrong where the person goes on typing. */
export function mishapText(error: unknown): string {
  const lost = kindOf(error) === "connection" || kindOf(error) === "timeout";
  return messageOf(error) + (lost ? "; the next command connects again" : "");
}

/** Leaves the store, without waiting long for one that does not answer. */
export async function leave(store: ShellStore): Promise<void> {
  const closed = new AbortController();
  const closing = Promise.resolve(store.close()).catch(() => {}).finally(() => closed.abort());
  await Promise.race([closing, pause(closeWaitMs, closed.signal)]);
}
