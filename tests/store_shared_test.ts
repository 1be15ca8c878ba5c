/**
 * The shared store against a plain Map, by random programs on several threads that take turns; see
 * store_property_test.ts. `BLINK_SEED` and `BLINK_STORE_STEPS` work here too.
 *
 * @module
 */

import fc from "fast-check";
import { operations, seed, stepsWanted } from "./store_mixes.ts";
import { Program } from "./store_program.ts";

const PROGRAM_STEPS = 400;
const VERIFY_EVERY = 50;
const MIB = 1_048_576;

const programs = [
  { limitBytes: 1_024, keys: 60, valueBytesMax: 60, largeBytesMax: 1_024, shards: 1 },
  { limitBytes: 1_024, keys: 60, valueBytesMax: 60, largeBytesMax: 1_024, shards: 4 },
  { limitBytes: 65_536, keys: 300, valueBytesMax: 1_500, largeBytesMax: 66_000, shards: 8 },
  { limitBytes: MIB, keys: 2_000, valueBytesMax: 3_000, largeBytesMax: 900_000, shards: 2 },
  {
    limitBytes: MIB,
    keys: 2_000,
    valueBytesMax: 3_000,
    largeBytesMax: 900_000,
    shards: 4,
    fails: true,
  },
];

for (const { limitBytes, shards, ...mix } of programs) {
  const name = `limit ${limitBytes} bytes, ${shards} shards, failing: ${mix.fails === true}`;
  Deno.test(`shared store: random programs of threads that take turns, ${name}, seed ${seed}`, () => {
    const program = fc.array(operations(mix), {
      minLength: PROGRAM_STEPS,
      maxLength: PROGRAM_STEPS,
      size: "max",
    });
    fc.assert(
      fc.property(program, (steps) => {
        const run = new Program(limitBytes, { rotation: { threads: 3, shards } });
        for (const step of steps) run.run(step);
        run.finish();
      }),
      { seed, numRuns: Math.ceil(stepsWanted / PROGRAM_STEPS / programs.length) },
    );
  });
}

const longPrograms = [
  { limitBytes: 3 * MIB, keys: 40_000, valueBytesMax: 40, largeBytesMax: MIB, shards: 4 },
  {
    limitBytes: 8 * MIB,
    keys: 300,
    valueBytesMax: 9_000,
    largeBytesMax: 6 * MIB,
    shards: 8,
    fails: true,
  },
  { limitBytes: 16 * MIB, keys: 10_000, valueBytesMax: 8_000, largeBytesMax: 16 * MIB, shards: 16 },
];

for (const { limitBytes, shards, ...mix } of longPrograms) {
  const name = `limit ${limitBytes} bytes, ${shards} shards, failing: ${mix.fails === true}`;
  Deno.test(`shared store: one long program of threads that take turns, ${name}, seed ${seed}`, () => {
    const run = new Program(limitBytes, { rotation: { threads: 4, shards } }, false);
    const steps = fc.sample(operations(mix), { seed, numRuns: stepsWanted });
    steps.forEach((step, n) => {
      run.run(step);
      if (n % VERIFY_EVERY === 0) run.store.verify();
    });
    run.finish();
  });
}
