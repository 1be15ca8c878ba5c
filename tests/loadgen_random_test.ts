/** The pseudo-random generator and its distributions. */

import { Random, shuffled, uniformRanks, zipfRanks } from "../loadgen/random.ts";
import { assert, assertEquals } from "./assert.ts";

Deno.test("a seed gives the same numbers, on every machine and in every version", () => {
  const random = new Random(1);
  assertEquals([random.next(), random.next(), random.next()], [2166720167, 3801348702, 348472735]);
  assertEquals(new Random(1).next(), new Random(1 + 2 ** 32).next());
  assert(new Random(1).next() !== new Random(2).next());
});

Deno.test("numbers spread evenly over their range, whatever the seed", () => {
  for (const seed of [0, 1, -1, 2 ** 31, 0.5]) {
    const random = new Random(seed);
    const seen = new Uint32Array(16);
    const draws = 160_000;
    for (let draw = 0; draw < draws; draw++) seen[random.below(16)]++;
    const expected = draws / 16;
    const spread = 6 * Math.sqrt(expected);
    assert(seen.every((count) => Math.abs(count - expected) < spread), `seed ${seed}: ${seen}`);
    const fraction = random.fraction();
    assert(fraction >= 0 && fraction < 1);
  }
});

Deno.test("a Zipf distribution gives each rank its share", () => {
  for (const exponent of [0.8, 1, 1.2]) {
    const count = 1000;
    const draws = 400_000;
    const ranks = zipfRanks(new Random(7), count, exponent);
    const seen = new Uint32Array(count);
    for (let draw = 0; draw < draws; draw++) seen[ranks()]++;
    let total = 0;
    for (let rank = 1; rank <= count; rank++) total += rank ** -exponent;
    for (const rank of [1, 2, 3, 10, 100]) {
      const expected = draws * rank ** -exponent / total;
      const spread = 6 * Math.sqrt(expected);
      assert(Math.abs(seen[rank - 1] - expected) < spread, `rank ${rank} of ${exponent}`);
    }
  }
});

Deno.test("a uniform distribution stays below its count, and a shuffle loses nothing", () => {
  const ranks = uniformRanks(new Random(3), 10);
  const seen = new Set(Array.from({ length: 1000 }, ranks));
  assertEquals([...seen].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertEquals(
    [...shuffled(new Random(3), 100)].sort((a, b) => a - b),
    Array.from(Array(100).keys()),
  );
});
