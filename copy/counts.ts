/**
 * Counts what became of every key that a copy has seen. A key is in exactly one of the counts, so
 * their sum is the number of keys seen.
 *
 * @module
 */

/** The most keys that a refusal names. */
export const namedKeysMax = 10;

/** The most reasons that are told apart; further ones count as `"other reasons"`. */
export const reasonsMax = 20;

/** The most types that are told apart; further ones count as `"unknown"`. */
export const typesMax = 50;

/** The longest part of a key that a report shows, in characters. */
const shownKeyCharsMax = 100;

/** Keys that were refused for one reason. */
export interface Refused {
  readonly count: number;
  /** The first of them, escaped for a terminal; at most {@linkcode namedKeysMax}. */
  readonly keys: readonly string[];
}

/** What became of the keys seen so far. */
export interface Counts {
  /** Keys that were listed. */
  readonly seen: number;
  /** Entries written to the target; in a dry run, those that would be. */
  readonly copied: number;
  /** The bytes of their keys and values. */
  readonly bytes: number;
  /** Entries that expired or were deleted before they were copied. */
  readonly gone: number;
  /** Entries left out since the target has their keys. */
  readonly present: number;
  /** Keys of other types than string, by type. */
  readonly others: Readonly<Record<string, number>>;
  /** Keys that one of the sides refused, by reason. */
  readonly refused: Readonly<Record<string, Refused>>;
}

/** The counts of a copy that has not begun. */
export const noCounts: Counts = {
  seen: 0,
  copied: 0,
  bytes: 0,
  gone: 0,
  present: 0,
  others: {},
  refused: {},
};

/** The outcome of one key, as it is counted. */
export type Counted =
  | { readonly kind: "copied"; readonly bytes: number }
  | { readonly kind: "gone" }
  | { readonly kind: "present" }
  | { readonly kind: "other"; readonly type: string }
  | { readonly kind: "refused"; readonly reason: string };

/** Adds keys up, from the counts that it is given. */
export class Tally {
  #seen: number;
  #copied: number;
  #bytes: number;
  #gone: number;
  #present: number;
  readonly #others: Map<string, number>;
  readonly #refused: Map<string, { count: number; keys: string[] }>;

  constructor(from: Counts = noCounts) {
    ({
      seen: this.#seen,
      copied: this.#copied,
      bytes: this.#bytes,
      gone: this.#gone,
      present: this.#present,
    } = from);
    this.#others = new Map(Object.entries(from.others));
    this.#refused = new Map(
      Object.entries(from.refused).map((
        [reason, { count, keys }],
      ) => [reason, { count, keys: [...keys] }]),
    );
  }

  /** Counts one key. */
  add(key: Uint8Array, outcome: Counted): void {
    this.#seen++;
    switch (outcome.kind) {
      case "copied":
        this.#copied++;
        this.#bytes += outcome.bytes;
        return;
      case "gone":
        this.#gone++;
        return;
      case "present":
        this.#present++;
        return;
      case "other":
        this.#addOther(outcome.type);
        return;
      case "refused":
        this.#refuse(key, outcome.reason);
        return;
    }
  }

  /** The counts so far; later keys do not change them. */
  counts(): Counts {
    return {
      seen: this.#seen,
      copied: this.#copied,
      bytes: this.#bytes,
      gone: this.#gone,
      present: this.#present,
      others: Object.fromEntries(this.#others),
      refused: Object.fromEntries(
        Array.from(
          this.#refused,
          ([reason, { count, keys }]) => [reason, { count, keys: [...keys] }] as const,
        ),
      ),
    };
  }

  #addOther(type: string) {
    const isKnown = this.#others.has(type) || this.#others.size < typesMax;
    const name = isKnown ? type : "unknown";
    this.#others.set(name, (this.#others.get(name) ?? 0) + 1);
  }

  #refuse(key: Uint8Array, reason: string) {
    const isKnown = this.#refused.has(reason) || this.#refused.size < reasonsMax;
    const name = isKnown ? reason : "other reasons";
    const refused = this.#refused.get(name) ?? { count: 0, keys: [] };
    refused.count++;
    if (refused.keys.length < namedKeysMax) refused.keys.push(showKey(key));
    this.#refused.set(name, refused);
  }
}

/** The number of keys of other types. */
export function othersOf({ others }: Counts): number {
  return Object.values(others).reduce((sum, count) => sum + count, 0);
}

/** The number of keys that were refused. */
export function refusedOf({ refused }: Counts): number {
  return Object.values(refused).reduce((sum, { count }) => sum + count, 0);
}

/** A key as text that is safe on a terminal, in double quotes; a long one is cut. */
export function showKey(key: Uint8Array): string {
  const text = new TextDecoder().decode(key.subarray(0, 4 * shownKeyCharsMax));
  const shown = JSON.stringify(text.slice(0, shownKeyCharsMax)).slice(1, -1)
    .replace(
      /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  return `"${shown}"${text.length > shownKeyCharsMax ? "…" : ""}`;
}
