/**
 * What is acknowledged survives a killed server. `BLINK_KILLS` is the number of rounds.
 *
 * @module
 */

import { Random } from "../loadgen/mod.ts";
import { assert } from "./assert.ts";
import { type KillOptions, Kills } from "./journal_kills.ts";

const isLong = Deno.env.get("BLINK_KILL_TEST") === "long";
const rounds = Number(Deno.env.get("BLINK_KILLS") ?? (isLong ? 1_000 : 20));
const seedGiven = Deno.env.get("BLINK_SEED") ?? (isLong ? "random" : "1");
const seed = seedGiven === "random" ? Math.floor(Math.random() * 2 ** 32) : Number(seedGiven);

async function killRounds(
  { threads, count, sync }: Pick<KillOptions, "threads" | "sync"> & { count: number },
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "blink-kills-" });
  try {
    const random = new Random(seed);
    const kills = new Kills({ file: `${folder}/store.db`, random, threads, sync });
    let acknowledged = 0;
    let unacknowledged = 0;
    let kept = 0;
    for (let round = 0; round < count; round++) {
      const result = await kills.round().catch((error) => {
        console.error(`Round ${round}: ${error.message.slice(0, 2000)}`);
        throw new Error(`Round ${round} with BLINK_SEED=${seed}: ${error.message}`, {
          cause: error,
        });
      });
      acknowledged += result.acknowledged;
      unacknowledged += result.unacknowledged;
      kept += result.kept;
    }
    console.log(
      `${count} kills, ${threads} threads, seed ${seed}: ${acknowledged} requests acknowledged, ` +
        `${unacknowledged} not, of which ${kept} were kept`,
    );
    assert(acknowledged > count, "the writers have written");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("data file: a killed server has kept what it acknowledged, with one thread", async () => {
  await killRounds({ threads: 1, count: Math.ceil(rounds / 2), sync: "always" });
});

Deno.test({
  name: "data file: the same with two threads",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await killRounds({ threads: 2, count: Math.floor(rounds / 2), sync: "always" });
  },
});
