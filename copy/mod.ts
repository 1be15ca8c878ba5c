/**
 * Copies the string entries of one store to another. `copyEntries` knows its two sides only as
 * ports (`ports.ts`); `RedisSource` and `RedisTarget` reach Redis, Valkey and Blink Store over the
 * protocol of Redis. The client for it is loaded with the first connection.
 *
 * @module
 */

export {
  copyDefaults,
  copyEntries,
  type CopyOptions,
  type CopyProgress,
  type CopyResult,
  type CopyState,
} from "./copy_entries.ts";
export { type Counts, noCounts, othersOf, refusedOf } from "./counts.ts";
export {
  ConnectionLost,
  CopyError,
  type CopySource,
  type CopyTarget,
  type Entry,
  type IfPresent,
  type KeyFacts,
  type KeyPage,
  type ReadOutcome,
  type WriteOutcome,
} from "./ports.ts";
export type { RedisAddress } from "./redis_connection.ts";
export { RedisSource } from "./redis_source.ts";
export { RedisTarget } from "./redis_target.ts";
export { type Pace, renderProgress, renderReport } from "./render.ts";
export { type CopyId, ResumeFile } from "./resume_file.ts";
export type { Clock } from "./retry.ts";
