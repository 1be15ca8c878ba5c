/**
 * The load generator's door: what `blink-store bench` runs, and what the comparison in `bench/` is
 * built from. It offers a closed-loop load over many connections, the wires that it speaks, and the
 * project's one histogram and one pseudo-random generator.
 *
 * ```ts ignore
 * const result = await runBench({ port: 8765, connections: 50, pipeline: 16, seconds: 5 });
 * console.log(renderResult(result));
 * ```
 *
 * @module
 */

export {
  type BenchOptions,
  type BenchProgress,
  type BenchResult,
  loadDefaults,
  type LoadOptions,
  runBench,
} from "./load.ts";
export type { ServerAddress } from "./sockets.ts";
export {
  blink,
  type Dialect,
  keyBytes,
  memcached,
  redis,
  type Replies,
  RequestWriter,
  respArray,
  type Scanner,
  type Verb,
  verbs,
  writeKey,
} from "./dialects.ts";
export { type Bar, Histogram } from "./histogram.ts";
export { Random, type Ranks, shuffled, uniformRanks, zipfRanks } from "./random.ts";
export { renderProgress, renderResult } from "./render.ts";
