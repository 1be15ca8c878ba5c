/**
 * What a store must hold, as a Map: each entry with its time of expiry, and their USAGE. A clock
 * that the test moves decides what has expired.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A value with its time of expiry in milliseconds; Infinity for never. */
export interface Entry {
  value: Uint8Array;
  expiresAt: number;
}

/** The entries that a store must hold, by the names of their keys. */
export class Contents {
  /** Bytes of all keys and values. */
  usage = 0;
  /** The time in milliseconds. */
  now = 0;
  readonly #entries = new Map<string, Entry>();

  /** How many entries there are, expired ones included until they are dropped. */
  get size(): number {
    return this.#entries.size;
  }

  /** The names of all keys. */
  get names(): string[] {
    return [...this.#entries.keys()];
  }

  /** The entry of a key; one that has expired is dropped. */
  live(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.expiresAt > this.now) return entry;
    this.drop(name);
    return undefined;
  }

  /** Inserts an entry, or replaces the one of the same key. */
  set(name: string, entry: Entry): void {
    this.drop(name);
    this.#entries.set(name, entry);
    this.usage += encoder.encode(name).length + entry.value.length;
  }

  /** Removes an entry, if there is one. */
  drop(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.usage -= encoder.encode(name).length + entry.value.length;
    this.#entries.delete(name);
  }

  /** Removes the entries that have expired. */
  dropExpired(): void {
    for (const name of this.names) this.live(name);
  }

  /** Removes all entries. */
  clear(): void {
    this.#entries.clear();
    this.usage = 0;
  }
}
