/**
 * Compares the store with a plain Map by random programs, which fast-check makes and, when one
 * fails, shrinks. `deno task fuzz` is the long form; the seed in a test's name, given back as
 * `BLINK_SEED`, repeats it.
 *
 * @module
 */

import fc from "fast-check";
import { operations, seed, stepsWanted } from "./store_mixes.ts";
import { Program } from "./store_program.ts";

const PROGRAM_STEPS = 400;
/** Steps between two verifications of a long program, which holds much. */
const VERIFY_EVERY = 50;

const MIB = 1_048_576;

const programs = [
  { limitBytes: 1_024, keys: 60, valueBytesMax: 60, largeBytesMax: 1_024 },
  { limitBytes: 65_536, keys: 300, valueBytesMax: 1_500, largeBytesMax: 66_000 },
  { limitBytes: MIB, keys: 2_000, valueBytesMax: 3_000, largeBytesMax: 900_000 },
  { limitBytes: 65_536, keys: 300, valueBytesMax: 1_500, largeBytesMax: 66_000, fails: true },
  { limitBytes: MIB, keys: 2_000, valueBytesMax: 3_000, largeBytesMax: 900_000, fails: true },
  // Large values among many small ones: eviction takes many calls.
  { limitBytes: 65_536, keys: 3_000, valueBytesMax: 20, largeBytesMax: 65_000, filled: 900 },
];

for (const { limitBytes, filled = 0, ...mix } of programs) {
  const name = `limit ${limitBytes} bytes, of ${mix.keys} keys, failing: ${mix.fails === true}`;
  Deno.test(`store: random programs, ${name}, seed ${seed}`, () => {
    const program = fc.array(operations(mix), {
      minLength: PROGRAM_STEPS,
      maxLength: PROGRAM_STEPS,
      size: "max",
    });
    fc.assert(
      fc.property(program, (steps) => {
        const run = new Program(limitBytes);
        run.fill(filled, 60);
        for (const step of steps) run.run(step);
        run.finish();
      }),
      { seed, numRuns: Math.ceil(stepsWanted / PROGRAM_STEPS / programs.length) },
    );
  });
}

const longPrograms = [
  { limitBytes: MIB, keys: 3_000, valueBytesMax: 2_000, largeBytesMax: MIB },
  { limitBytes: 3 * MIB, keys: 40_000, valueBytesMax: 40, largeBytesMax: MIB, fails: true },
  { limitBytes: 8 * MIB, keys: 300, valueBytesMax: 9_000, largeBytesMax: 6 * MIB, fails: true },
  // Large values among many small ones: eviction takes many calls.
  {
    limitBytes: 1_500_000,
    keys: 12_000,
    valueBytesMax: 150,
    largeBytesMax: 1_450_000,
    filled: 18_000,
    share: 0.1,
  },
  // The arena is used up long before the limit is reached.
  {
    limitBytes: 8 * MIB,
    keys: 12_000,
    valueBytesMax: 150,
    largeBytesMax: 300_000,
    filled: 12_000,
    share: 0.1,
    options: { arenaBytesMax: MIB },
  },
  // Enough data for the tables to grow and for slabs to be given back.
  {
    limitBytes: 32 * MIB,
    keys: 10_000,
    valueBytesMax: 16_000,
    largeBytesMax: MIB,
  },
];

for (const { limitBytes, filled = 0, share = 1, options = {}, ...mix } of longPrograms) {
  const name = `limit ${limitBytes} bytes, of ${mix.keys} keys, failing: ${mix.fails === true}`;
  Deno.test(`store: one long program, ${name}, ${JSON.stringify(options)}, seed ${seed}`, () => {
    const run = new Program(limitBytes, options, false);
    run.fill(filled, 80);
    const steps = fc.sample(operations(mix), { seed, numRuns: Math.ceil(stepsWanted * share) });
    steps.forEach((step, n) => {
      run.run(step);
      if (n % VERIFY_EVERY === 0) run.store.verify();
    });
    run.finish();
  });
}
