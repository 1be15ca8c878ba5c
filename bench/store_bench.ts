/**
 * Times the store in the process: the cost of a request without socket and codec.
 *
 * @module
 */

import { Store } from "../store.ts";
import { keyBytes, Random, writeKey } from "../loadgen/mod.ts";

const entries = 100_000;
/** Operations per iteration, many so that reading the clock does not count. */
const batch = 1000;
const line = new Uint8Array(keyBytes + 4096);
const random = new Random(1);

function nextKey(below: number): void {
  writeKey(random.below(below), line);
}

function put(store: Store, valueBytes: number, expiresAt = Infinity): void {
  while (
    store.put(line, 0, keyBytes, line, keyBytes, keyBytes + valueBytes, expiresAt) === "unfinished"
  );
}

/** A store into which all keys were put; its limit is a share of what they need. */
function filled(valueBytes: number, share = 1): Store {
  const store = new Store({ limitBytes: Math.ceil(entries * (keyBytes + valueBytes) * share) });
  for (let key = 0; key < entries; key++) {
    writeKey(key, line);
    put(store, valueBytes);
  }
  return store;
}

for (const valueBytes of [64, 1024]) {
  const store = filled(valueBytes);
  Deno.bench(`1,000 gets of ${valueBytes} bytes`, () => {
    for (let count = 0; count < batch; count++) {
      nextKey(entries);
      store.get(line, 0, keyBytes);
    }
  });
  Deno.bench(`1,000 overwrites of ${valueBytes} bytes`, () => {
    for (let count = 0; count < batch; count++) {
      nextKey(entries);
      put(store, valueBytes);
    }
  });
}

const half = filled(64, 0.5);
Deno.bench("1,000 puts that evict", () => {
  for (let count = 0; count < batch; count++) {
    nextKey(entries * 100);
    put(half, 64);
  }
});

const expiring = filled(64);
Deno.bench("1,000 puts with an expiry", () => {
  const expiresAt = expiring.now() + 1000;
  for (let count = 0; count < batch; count++) {
    nextKey(entries);
    put(expiring, 64, expiresAt);
  }
});

const scanned = filled(64);
Deno.bench("a scan of 1,000 entries", () => {
  let seen = 0;
  let cursor = 0;
  do cursor = scanned.scan(cursor, 100, () => void seen++); while (cursor !== 0 && seen < batch);
});
