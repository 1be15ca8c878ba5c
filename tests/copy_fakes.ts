/**
 * The two sides of a copy without sockets: a source and a target on a Map each, which can lose
 * their connection at any call, and a clock that moves only when the copy pauses.
 *
 * @module
 */

import {
  type Clock,
  ConnectionLost,
  type CopySource,
  type CopyTarget,
  type Entry,
  type IfPresent,
  type KeyFacts,
  type KeyPage,
  type ReadOutcome,
  type WriteOutcome,
} from "../copy/mod.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a key of a fake holds: a string, or a value of the type named. */
export type FakeValue =
  | { readonly value: Uint8Array; readonly expiresAtMs?: number }
  | { readonly type: string };

/** A clock that pauses move. */
export class FakeClock implements Clock {
  ms = 1_000_000;
  now = (): number => this.ms;
  elapsed = (): number => this.ms;
  pause(ms: number): Promise<void> {
    this.ms += ms;
    return Promise.resolve();
  }
}

/** What both sides have: an identity, and calls that can fail. */
class FakeSide {
  /** Every call, by name, in order. */
  readonly calls: string[] = [];
  /** Which run of the server this is. */
  run: string | undefined;
  /** Decides whether a call loses its connection. */
  loses: (call: string, number: number) => boolean = () => false;
  #isConnected = false;

  constructor(run: string) {
    this.run = run;
  }

  identity(): Promise<string | undefined> {
    return this.called("identity", () => {
      this.#isConnected = true;
      return this.run;
    });
  }

  protected called<T>(name: string, call: () => T, isFatal = false): Promise<T> {
    this.calls.push(name);
    const isLost = isFatal || this.loses(name, this.calls.length - 1);
    if (isLost) this.#isConnected = false;
    // Only `identity` connects.
    if (isLost || (name !== "identity" && !this.#isConnected)) {
      return Promise.reject(new ConnectionLost(`${this.run} is gone`));
    }
    return Promise.resolve().then(call);
  }
}

/** A source whose pages are slices of its keys, in the order of insertion. */
export class FakeSource extends FakeSide implements CopySource {
  readonly entries = new Map<string, FakeValue>();
  /** The largest sum of the values of one `read`, in bytes. */
  bytesReadMax = 0;
  /** The most keys of one call. */
  keysMax = 0;
  /** Called before keys are read. */
  beforeRead = () => {};
  /** Keys that a page has although fewer were asked for. */
  pageKeysMin = 0;

  constructor(run = "source") {
    super(run);
  }

  set(key: string, value: string, expiresAtMs?: number): this {
    this.entries.set(key, { value: encoder.encode(value), expiresAtMs });
    return this;
  }

  size(): Promise<number> {
    return this.called("size", () => this.entries.size);
  }

  scan(cursor: string, match: string | undefined, count: number): Promise<KeyPage> {
    return this.called("scan", () => {
      const all = [...this.entries.keys()];
      const from = Number(cursor);
      const to = from + Math.max(count, this.pageKeysMin);
      const keys = all.slice(from, to).filter((key) =>
        match === undefined || key.startsWith(match)
      );
      return {
        cursor: to < all.length ? String(to) : "0",
        keys: keys.map((key) => encoder.encode(key)),
      };
    });
  }

  describe(keys: readonly Uint8Array[]): Promise<KeyFacts[]> {
    return this.called("describe", () => {
      this.keysMax = Math.max(this.keysMax, keys.length);
      return keys.map((key) => this.#factsOf(key));
    });
  }

  read(keys: readonly Uint8Array[]): Promise<ReadOutcome[]> {
    return this.called("read", () => {
      this.beforeRead();
      let bytes = 0;
      const outcomes = keys.map((key): ReadOutcome => {
        const facts = this.#factsOf(key);
        if (facts.kind !== "string") return facts;
        bytes += facts.valueBytes;
        const { value, expiresAtMs } = this.entries.get(decoder.decode(key)) as {
          value: Uint8Array;
          expiresAtMs?: number;
        };
        return { kind: "entry", entry: { key, value, expiresAtMs } };
      });
      this.bytesReadMax = Math.max(this.bytesReadMax, bytes);
      return outcomes;
    });
  }

  #factsOf(key: Uint8Array): KeyFacts {
    const held = this.entries.get(decoder.decode(key));
    if (held === undefined) return { kind: "gone" };
    if (!("type" in held)) return { kind: "string", valueBytes: held.value.length };
    return held.type === "secret"
      ? { kind: "refused", reason: "source: NOPERM" }
      : { kind: "other", type: held.type };
  }
}

/** A target that keeps what it is given. */
export class FakeTarget extends FakeSide implements CopyTarget {
  readonly entries = new Map<string, { value: string; expiresAtMs: number | undefined }>();
  /** Why it refuses an entry; `undefined` where it does not. */
  refuses: (key: string, value: string) => string | undefined = () => undefined;
  /** Keys whose writing closes the connection. */
  readonly fatal = new Set<string>();

  constructor(run = "target") {
    super(run);
  }

  write(entries: readonly Entry[], ifPresent: IfPresent): Promise<WriteOutcome[]> {
    const isFatal = entries.some(({ key }) => this.fatal.has(decoder.decode(key)));
    return this.called(
      "write",
      () => entries.map((entry) => this.#put(entry, ifPresent)),
      isFatal,
    );
  }

  #put({ key, value, expiresAtMs }: Entry, ifPresent: IfPresent): WriteOutcome {
    const name = decoder.decode(key);
    if (ifPresent === "skip" && this.entries.has(name)) return { kind: "present" };
    const reason = this.refuses(name, decoder.decode(value));
    if (reason !== undefined) return { kind: "refused", reason };
    this.entries.set(name, { value: decoder.decode(value), expiresAtMs });
    return { kind: "written" };
  }
}
