/**
 * A target that speaks the protocol of Redis. It writes with SET and PXAT; a server that is older
 * than Redis 6.2 has no PXAT, so it is given the time that is left by PX.
 *
 * @module
 */

import type { CopyTarget, Entry, IfPresent, WriteOutcome } from "./ports.ts";
import {
  ErrorReply,
  type RedisAddress,
  type RedisCommand,
  RedisConnection,
  type RedisReply,
} from "./redis_connection.ts";

/** A server that takes entries. */
export class RedisTarget implements CopyTarget, Disposable {
  readonly #connection: RedisConnection;
  readonly #now: () => number;
  #hasPxat = true;

  /** `now` is in milliseconds since 1970. */
  constructor(address: RedisAddress, now: () => number = Date.now) {
    this.#connection = new RedisConnection("target", address);
    this.#now = now;
  }

  identity(): Promise<string | undefined> {
    return this.#connection.identity();
  }

  async write(entries: readonly Entry[], ifPresent: IfPresent): Promise<WriteOutcome[]> {
    const hadPxat = this.#hasPxat;
    const replies = await this.#connection.run(
      entries.map((entry) => this.#commandFor(entry, ifPresent)),
    );
    const refusesPxat = entries.map(({ expiresAtMs }, index) =>
      hadPxat && expiresAtMs !== undefined && isSyntaxError(replies[index])
    );
    if (refusesPxat.includes(true)) {
      this.#hasPxat = false;
      const again = entries.filter((_, index) => refusesPxat[index]);
      const outcomes = await this.write(again, ifPresent);
      return replies.map((reply, index) =>
        refusesPxat[index] ? outcomes.shift()! : outcomeOf(reply)
      );
    }
    return replies.map(outcomeOf);
  }

  /** Ends the connection. */
  [Symbol.dispose](): void {
    this.#connection.close();
  }

  #commandFor({ key, value, expiresAtMs }: Entry, ifPresent: IfPresent): RedisCommand {
    const words: (string | number)[] = ifPresent === "skip" ? ["NX"] : [];
    if (expiresAtMs !== undefined) {
      if (this.#hasPxat) words.push("PXAT", expiresAtMs);
      else words.push("PX", Math.max(1, expiresAtMs - this.#now()));
    }
    return ["SET", key, value, ...words];
  }
}

function outcomeOf(reply: RedisReply): WriteOutcome {
  // SET answers with nothing only where NX keeps it from writing.
  if (reply === null) return { kind: "present" };
  if (reply instanceof ErrorReply) {
    return { kind: "refused", reason: `target: ${reply.message}` };
  }
  return { kind: "written" };
}

function isSyntaxError(reply: RedisReply): boolean {
  return reply instanceof ErrorReply && /^ERR syntax error/i.test(reply.message);
}
