/**
 * The mixes of operations that random programs on a store are made of, and the seed of a run.
 *
 * @module
 */

import fc from "fast-check";
import type { Operation } from "./store_operations.ts";

/** Steps that one kind of program runs. */
export const stepsWanted = Number(Deno.env.get("BLINK_STORE_STEPS") ?? 30_000);
const seedGiven = Deno.env.get("BLINK_SEED") ?? "20260101";
/** The seed of this run. */
export const seed = seedGiven === "random"
  ? Math.floor(Math.random() * 2 ** 31)
  : Number(seedGiven);
const ttl = fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: undefined });

/** Puts that can be under way at once. */
const SLOTS = 3;

/** What a program does. */
export interface Mix {
  keys: number;
  valueBytesMax: number;
  /** The largest of the values that are put in several calls. */
  largeBytesMax: number;
  /** Whether allocations fail. */
  fails?: boolean;
}

/** Operations of a mix. */
export function operations(
  { keys, valueBytesMax, largeBytesMax, fails }: Mix,
): fc.Arbitrary<Operation> {
  const key = fc.nat(keys);
  const fill = fc.nat(65_535);
  const slot = fc.nat(SLOTS - 1);
  const prefix = fc.constantFrom("k1", "k2", "ka", "kz", "kb", "kc", "k1a", "zz", "k8", "k");
  const put = (length: fc.Arbitrary<number>) =>
    fc.record({ do: fc.constant("put" as const), key, length, fill, ttl });
  const startPut = fc.record({
    do: fc.constant("startPut" as const),
    slot,
    key,
    length: fc.nat(largeBytesMax),
    fill,
    ttl,
  });
  const share = fc.constantFrom(0.02, 0.5, 0.9, 1, 1.1, 1.5);
  const allocations = fc.oneof(fc.nat(3), fc.nat(300));
  return fc.oneof(
    { weight: 200, arbitrary: put(fc.nat(valueBytesMax)) },
    { weight: 10, arbitrary: put(fc.nat(valueBytesMax * 30)) },
    { weight: 150, arbitrary: fc.record({ do: fc.constant("get" as const), key }) },
    { weight: 60, arbitrary: fc.record({ do: fc.constant("delete" as const), key }) },
    { weight: 30, arbitrary: fc.record({ do: fc.constant("expire" as const), key, ttl }) },
    {
      weight: 25,
      arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(300) }),
    },
    { weight: 5, arbitrary: fc.constant({ do: "sweep" as const }) },
    { weight: 10, arbitrary: fc.constant({ do: "sweepOnce" as const }) },
    { weight: 8, arbitrary: startPut },
    { weight: 60, arbitrary: fc.record({ do: fc.constant("stepPut" as const), slot }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("cancelPut" as const), slot }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("startFlush" as const), prefix }) },
    {
      weight: 10,
      arbitrary: fc.record({ do: fc.constant("stepFlush" as const), nth: fc.nat(3) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("setLimit" as const), share }) },
    { weight: 5, arbitrary: fc.constant({ do: "changeLimit" as const }) },
    {
      weight: fails ? 10 : 0,
      arbitrary: fc.record({ do: fc.constant("fail" as const), allocations }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("scan" as const),
        count: fc.integer({ min: 1, max: 50 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("flush" as const),
        prefix,
      }),
    },
    { weight: 1, arbitrary: fc.constant({ do: "flushAll" as const }) },
  );
}
