/**
 * Runs the simulator: a short form with a fixed seed here, a longer one with `deno task simulate`.
 *
 * @module
 */

import { assert } from "./assert.ts";
import { shapes, simulate } from "./simulation.ts";

/** Steps of each shape in the short form and in the long one. */
const defaultSteps = { short: 15_000, long: 200_000 } as const;

const form = Deno.env.get("BLINK_SIMULATION") === "long" ? "long" : "short";
const steps = Number(Deno.env.get("BLINK_SIMULATION_STEPS") ?? defaultSteps[form]);
const seed = Number(
  Deno.env.get("BLINK_SEED") ??
    (form === "long" ? crypto.getRandomValues(new Uint32Array(1))[0] : 1),
);

for (const shape of shapes) {
  Deno.test(`simulation: ${shape.name} (seed ${seed}, ${steps} steps)`, () => {
    const answered = simulate(shape, seed, steps);
    assert(answered > steps / 50, `only ${answered} requests were answered`);
  });
}
