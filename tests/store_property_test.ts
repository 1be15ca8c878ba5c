/**
 * The store held against a plain Map by random programs, which fast-check makes and, when one
 * fails, shrinks. `deno task fuzz` is the long form; the seed in a test's name, given back as
 * `BLINK_SEED`, repeats it.
 *
 * @module
 */

import fc from "fast-check";
import { type Operation, Program } from "./store_program.ts";

const stepsWanted = Number(Deno.env.get("BLINK_STORE_STEPS") ?? 30_000);
const seedGiven = Deno.env.get("BLINK_SEED") ?? "20260101";
const seed = seedGiven === "random" ? Math.floor(Math.random() * 2 ** 31) : Number(seedGiven);
const PROGRAM_STEPS = 400;

const ttl = fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: undefined });

function operations(keys: number, valueBytesMax: number): fc.Arbitrary<Operation> {
  const key = fc.nat(keys);
  const fill = fc.nat(65_535);
  const put = (length: fc.Arbitrary<number>) =>
    fc.record({ do: fc.constant("put" as const), key, length, fill, ttl });
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
        prefix: fc.constantFrom("k1", "k2", "ka", "zz"),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ do: "flushAll" as const }) },
  );
}

const rooms = [
  { limitBytes: 1_024, keys: 60, valueBytesMax: 60 },
  { limitBytes: 65_536, keys: 300, valueBytesMax: 1_500 },
  { limitBytes: 1_048_576, keys: 2_000, valueBytesMax: 3_000 },
];

for (const { limitBytes, keys, valueBytesMax } of rooms) {
  Deno.test(`store: random programs, limit ${limitBytes} bytes, seed ${seed}`, () => {
    const program = fc.array(operations(keys, valueBytesMax), {
      minLength: PROGRAM_STEPS,
      maxLength: PROGRAM_STEPS,
      size: "max",
    });
    fc.assert(
      fc.property(program, (steps) => {
        const run = new Program(limitBytes);
        for (const step of steps) run.run(step);
        run.compare();
      }),
      { seed, numRuns: Math.ceil(stepsWanted / PROGRAM_STEPS / rooms.length) },
    );
  });
}

const longPrograms = [
  { limitBytes: 1_048_576, keys: 3_000, valueBytesMax: 2_000, shared: false },
  // Enough data for the tables to grow and for slabs to be given back.
  { limitBytes: 33_554_432, keys: 10_000, valueBytesMax: 16_000, shared: true },
];

for (const { limitBytes, keys, valueBytesMax, shared } of longPrograms) {
  Deno.test(`store: one long program, limit ${limitBytes} bytes, shared memory: ${shared}`, () => {
    const run = new Program(limitBytes, shared);
    const steps = fc.sample(operations(keys, valueBytesMax), { seed, numRuns: stepsWanted });
    for (const step of steps) run.run(step);
    run.compare();
  });
}
