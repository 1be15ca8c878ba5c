/**
 * Runs the simulator: a short form with a fixed seed here, a longer one with `deno task simulate`.
 *
 * @module
 */

import { assert } from "./assert.ts";
import { shapes, simulate } from "./simulation.ts";

/** Steps of each shape in the short form. */
const shortSteps = 15_000;

const steps = Number(Deno.env.get("BLINK_SIMULATION_STEPS") ?? shortSteps);
const seedText = Deno.env.get("BLINK_SEED") ?? "1";
const seed = seedText === "random"
  ? crypto.getRandomValues(new Uint32Array(1))[0]
  : Number(seedText);

for (const shape of shapes) {
  Deno.test(`simulation: ${shape.name} (seed ${seed}, ${steps} steps)`, () => {
    const answered = simulate(shape, seed, steps);
    assert(answered > steps / 50, `only ${answered} requests were answered`);
  });
}
