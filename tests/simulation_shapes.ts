/**
 * The shapes of simulations: limits, keys, values and clients, each chosen so that it leads into
 * other parts of the store and the server.
 *
 * @module
 */

/** What a simulation is like. */
export interface SimulationShape {
  /** Its name, for messages. */
  readonly name: string;
  /** The store's limit. */
  readonly limitBytes: number;
  /** How many keys there are. */
  readonly keys: number;
  /** The sizes of values, each as likely as any other. */
  readonly valueBytes: readonly number[];
  /** How many clients at most. */
  readonly clientsMax: number;
  /** The bound on what waits. */
  readonly pendingBytesMax: number;
  /** The share of steps at which the next allocations fail. */
  readonly allocationFailures: number;
  /** The entries at the start. With them, FLUSH always has a prefix. */
  readonly entriesFirst?: number;
  /** Several threads that take turns on a store of so many shards; else one thread's store. */
  readonly rotation?: { readonly threads: number; readonly shards: number };
  /** The share of a run's steps that this shape gets; large values take long to check. */
  readonly stepsShare: number;
}

/** The shapes that are simulated. */
export const shapes: readonly SimulationShape[] = [
  {
    name: "small values, nothing evicted",
    limitBytes: 1 << 20,
    keys: 40,
    valueBytes: [0, 1, 10, 100, 1000],
    clientsMax: 8,
    pendingBytesMax: 1 << 20,
    allocationFailures: 0,
    stepsShare: 1,
  },
  {
    name: "eviction under a small limit",
    limitBytes: 20_000,
    keys: 200,
    valueBytes: [0, 10, 100, 1000, 9000, 19_000],
    clientsMax: 8,
    pendingBytesMax: 1 << 20,
    allocationFailures: 0,
    stepsShare: 1,
  },
  {
    name: "large puts that compete, and replies in parts",
    limitBytes: 5 << 20,
    keys: 12,
    valueBytes: [100, 9000, 200_000, 1_500_000, 3_000_000],
    clientsMax: 5,
    pendingBytesMax: 12 << 20,
    allocationFailures: 0,
    stepsShare: 0.3,
  },
  {
    name: "many entries, flushes and scans in steps",
    limitBytes: 4 << 20,
    keys: 1500,
    valueBytes: [1, 20],
    entriesFirst: 4500,
    clientsMax: 6,
    pendingBytesMax: 8 << 20,
    allocationFailures: 0,
    stepsShare: 0.3,
  },
  {
    name: "allocations that fail",
    limitBytes: 3 << 20,
    keys: 60,
    valueBytes: [10, 1000, 20_000, 300_000, 1_200_000],
    clientsMax: 6,
    pendingBytesMax: 8 << 20,
    allocationFailures: 0.02,
    stepsShare: 0.6,
  },
  {
    name: "threads that take turns on shards, eviction",
    limitBytes: 40_000,
    keys: 200,
    valueBytes: [0, 10, 100, 1000, 9000, 39_000],
    clientsMax: 8,
    pendingBytesMax: 1 << 20,
    allocationFailures: 0,
    rotation: { threads: 3, shards: 4 },
    stepsShare: 0.6,
  },
  {
    name: "threads that take turns on shards, large puts, scans and flushes",
    limitBytes: 8 << 20,
    keys: 1500,
    valueBytes: [1, 20, 300, 1_500_000],
    entriesFirst: 3000,
    clientsMax: 6,
    pendingBytesMax: 8 << 20,
    allocationFailures: 0.005,
    rotation: { threads: 2, shards: 8 },
    stepsShare: 0.2,
  },
];
