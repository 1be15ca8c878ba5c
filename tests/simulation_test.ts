/**
 * Runs the simulator: a short form with a fixed seed here, a longer one with `deno task simulate`.
 *
 * @module
 */

import { assert } from "./assert.ts";
import { simulate } from "./simulation.ts";
import { shapes } from "./simulation_shapes.ts";

/** Steps in the short form and in the long one. */
const defaultSteps = { short: 60_000, long: 1_000_000 } as const;

const form = Deno.env.get("BLINK_SIMULATION") === "long" ? "long" : "short";
const steps = Number(Deno.env.get("BLINK_SIMULATION_STEPS") ?? defaultSteps[form]);
const seedGiven = Deno.env.get("BLINK_SEED") ?? (form === "long" ? "random" : "1");
const seed = seedGiven === "random"
  ? crypto.getRandomValues(new Uint32Array(1))[0]
  : Number(seedGiven);

for (const shape of shapes) {
  const shapeSteps = Math.ceil(steps * shape.stepsShare);
  Deno.test(`simulation: ${shape.name} (seed ${seed}, ${shapeSteps} steps)`, () => {
    const { answered, transactions } = simulate(shape, seed, shapeSteps);
    for (const [wire, count] of Object.entries(answered)) {
      assert(count > shapeSteps / 200, `only ${count} requests were answered over ${wire}`);
    }
    assert(transactions.run > 0 && transactions.dropped > 0, Deno.inspect(transactions));
  });
}
