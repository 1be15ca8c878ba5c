/**
 * The store: keys and values in memory, under a limit that holds to the byte.
 *
 * ## What it promises
 *
 * - `usage` is the sum of the bytes of all keys and values, always, and never above the limit.
 * - Nothing is evicted while a new value fits.
 * - Each call does a bounded amount of work, however much the store holds: there is no pause to
 *   rehash, to compact, to expire or to evict.
 * - A store that is only written keeps the entries written last.
 * - Where memory runs out, entries are evicted; a call that fails has changed nothing.
 * - A store that detects a contradiction in its own state throws an `InvariantError`.
 *
 * ## How it lies in memory
 *
 * ```text
 *  index                     arena: slabs of 8 segments, each in one of three queues or free
 *  hash ref
 * +----+---+  small queue    oldest                               newest
 * | 03 | *-|-----------.     +---------------+  +---------------+  +---------------+
 * | 17 | *-|--------.  |     |xxxx hand> k=v |--| k=v xx k=v kv |--| k=v k=v k=v > |<- new keys
 * |    |   |        |  |     +---------------+  +---------------+  +---------------+
 * | 2c | *-|-----.  |  `------------------^           ^  |
 * | 2d | *-|---. |  `---------------------------------'  | visited
 * |    |   |   | |                                       v
 * | .. |   |   | |  main queue +-------------+  +---------------+  +---------------+
 * | f1 | *-|-. | `-----------> |xx hand> k=v |--| k=v k=v k=v   |--| k=v k=v >     |<- kept, with
 * |    |   | | |               +-------------+  +---------------+  +---------------+   a visit less
 * +----+---+ | `----------------------------------------^              ^
 *            `---------------------------------------------------------'
 *              bulk queue    +---------------+  +---------------+
 *                            | frag frag xxx |--| frag frag >   |<- pieces of large values
 *                            +---------------+  +---------------+
 *                              x: dead   hand: eviction's next   >: where the next record goes
 * ```
 *
 * The *arena* (store/arena.ts) is memory cut into segments of 128 KiB. An entry is a record
 * (store/record.ts): 8 bytes of header, the key, the value, rounded up to 8 bytes. Records are
 * appended to the newest segment of a queue and never cross a segment's end. So the place of an
 * entry in memory is also its place in the order of eviction, and no entry needs links. A value of
 * more than 8 KiB is cut into fragments in a queue of their own; the entry itself stays small
 * enough to move.
 *
 * The *index* (store/index.ts) finds an entry by the keyed hash of its key (hash.ts): open
 * addressing in the order of the hashes, 8 bytes a slot, 64 to 80 % full. It grows by a quarter,
 * moving a few slots with each change, so there is no moment at which it is rebuilt. With header
 * and rounding an entry costs some 23 bytes beyond its key and value, and 4 more in the ghost once
 * the store is full.
 *
 * ## How space is found
 *
 * *Eviction* (store/eviction.ts) looks at the old end of the small or of the main queue. An entry
 * that was visited moves to the main queue's end; one that was not is removed. The hand passes each
 * record once, and a segment whose records are all passed is free again.
 *
 * A *reservation* (store/reservation.ts) comes before each write: bytes under the limit, segments
 * of the arena and a slot of the index are ensured before anything is changed. Eviction gains what
 * is missing. So a failed allocation, at any moment, leaves the store as it was.
 *
 * *Overwriting* with a value that takes no more space happens in place. Otherwise the entry is
 * written again at the end of its queue, and leaves a hole, as a delete does. *Compaction*
 * (store/compaction.ts) closes holes when they are more than a twelfth of what is live: each write
 * moves a few records, in their order, into fresh segments in the same place of the queue.
 *
 * ## What takes several calls
 *
 * A put that finds too little space after a fixed number of steps is `"unfinished"`, and so is one
 * of more than 1 MiB. Its caller starts an operation and calls again, while others have their turn.
 * Operations wait in a queue (store/put_queue.ts). The first one reserves what eviction gains for
 * it, and copies its value in parts of 1 MiB; other writers go on beside it and evict for
 * themselves. So even a value as large as the store is stored without a pause, and two of them do
 * not block each other.
 *
 * A flush by prefix (store/flush.ts) takes several calls too, and looks as if it happened at once:
 * entries that it covers are hidden from its start on, and entries written later are exempt. A
 * sweep carries it on if its caller does not.
 *
 * ## How time passes
 *
 * An entry that expires has 8 bytes more in its header. An expired entry does not exist for any
 * request. A *sweep* (store/expiry.ts) gives its bytes back: each segment has a time before which
 * none of its entries expires, and only segments whose time has come are walked. The clock is
 * passed in and never goes back, so a jump of the system's clock has no effect.
 *
 * ## How threads share it
 *
 * All data of the store is in typed arrays: slabs, tables, and one fixed block of numbers
 * (store/state.ts). A `SharedStore` has them in memory that the system has mapped for all threads
 * (store/mapped_memory.ts). It consists of *shards* (store/shard.ts), each of which is what has been
 * described so far; the low bits of a key's hash name its shard, and each has a lock
 * (store/locks.ts). A `Store` is one shard, without a lock.
 *
 * ```text
 *  thread 0: views --.          .-> shard 0   lock | numbers | slabs, tables, pages | budget
 *  thread 1: views ---+-- hash -+-> shard 1   lock | numbers | slabs, tables, pages | budget
 *  thread 2: views --'          '-> shard 2   lock | numbers | slabs, tables, pages | budget
 *                                   in common: free bytes, line of large puts, flush under way
 * ```
 *
 * A thread works on a shard only under its lock. Its array views are its own; when another thread
 * has replaced a table or added a slab, the shard's *generation* has changed, and the views are made
 * again. A lock is a compare-and-swap, then a short spin, then a sleep. A thread holds one lock at a
 * time; what concerns all shards (USAGE, flushes) takes all of them in ascending order, and who
 * holds one already may only try another. So no two threads wait for each other.
 *
 * The limit is one for all: a shard has a *budget* (store/budgets.ts), takes more of the free bytes
 * when it needs them, and returns what it does not need. Once none are free, it evicts its own
 * entries, or the fullest shard's if it has much less than others. With several shards eviction may
 * therefore begin at 99 % of the limit. A put that takes several calls (store/shared_puts.ts) is one
 * at a time over all threads, and gains its space from all shards. A flush by prefix
 * (store/shared_flushes.ts) begins in all shards at the same moment, and every thread carries it on.
 *
 * @module
 */

export type { HashKey } from "./hash.ts";
export { InvariantError } from "./store/invariant.ts";
export { STAGED_PART_BYTES } from "./store/put_queue.ts";
export { EVICTION_STEPS_MAX } from "./store/reservation.ts";
export type { Allocate } from "./store/memory.ts";
export type { DetailedStats, StoreOptions } from "./store/options.ts";
export type { Block, SharedMemory } from "./store/memory.ts";
export { openSharedMemory } from "./store/mapped_memory.ts";
export type {
  AttachOptions,
  SharedStoreHandle,
  SharedStoreOptions,
} from "./store/shared_options.ts";
export { SharedStore } from "./store/shared_store.ts";
export { Store } from "./store/store.ts";
export type {
  FlushOperation,
  Handle,
  Milliseconds,
  ObservableStorage,
  PutOperation,
  PutOutcome,
  Storage,
  StoreObserver,
  StoreStats,
} from "./store/storage.ts";
