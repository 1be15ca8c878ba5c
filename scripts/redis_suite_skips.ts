/**
 * The tests of Redis that are left out when its suite runs against this store, each group with the
 * reason. An entry is the name of a test, or a pattern of names between a slash and the end, as
 * the suite's `--skipfile` takes them.
 *
 * @module
 */

/** Tests that are left out for one reason. */
export interface Skips {
  readonly reason: string;
  readonly tests: readonly string[];
}

/** The units that run, and that Redis's suite has for servers that it has not started. */
export const units: readonly string[] = [
  "unit/type/string",
  "unit/type/incr",
  "unit/expire",
  "unit/scan",
  "unit/protocol",
  "unit/auth",
  "unit/keyspace",
  "unit/multi",
  "unit/info-command",
  "unit/quit",
];

/** Tags of tests that are left out: they need DEBUG, or a replica. */
export const deniedTags: readonly string[] = ["-needs:debug", "-needs:repl"];

/** The tests that are left out by name. */
export const skips: readonly Skips[] = [
  {
    reason: "The store keeps strings, and no other type.",
    tests: [
      "MGET against non-string key",
      "/^[SG]ETBIT ",
      "SETRANGE against key with wrong type",
      "GETRANGE against wrong key type",
      "Extended SET GET with incorrect type should result in wrong type error",
      "INCR fails against a key holding a list",
      "INCRBYFLOAT fails against a key holding a list",
      "EXPIRE - write on expire should work",
      "/^({standalone} )?[SHZ]SCAN ",
      "/^({standalone} )?SCAN regression test for issue #4906$",
      "/^raw protocol response",
      "Regression for a crash with blocking ops and pipelining",
      "/^COPY basic usage for (list|\\$type|listpack|skiplist|hashtable|stream)",
      "MULTI / EXEC basics",
      "DISCARD",
      "MULTI where commands alter argc/argv",
      "EXEC fail on WATCHed key modified by SORT with STORE even if the result is empty",
      "Blocking commands ignores the timeout",
    ],
  },
  {
    reason: "LCS is not here.",
    tests: ["/^LCS "],
  },
  {
    reason: "An inline command is a line of Blink Store.",
    tests: [
      "Handle an empty query",
      "Unbalanced number of quotes",
      "Protocol desync regression test #1",
      "Protocol desync regression test #3",
      "Commands pipelining",
    ],
  },
  {
    reason: "There is one database.",
    tests: ["/^MOVE ", "/ in different DBs$"],
  },
  {
    reason: "There are no scripts, no replicas, no publishing, and no files of Redis.",
    tests: [
      "/script timeout$",
      "/^MULTI propagation of ",
      "/^MULTI with (BGREWRITEAOF|SAVE|SHUTDOWN)$",
      "/^exec with .* state change$",
    ],
  },
  {
    reason: "A flush counts as a change of every watched key, also of one that does not exist.",
    tests: ["/^FLUSH(ALL|DB) does not touch non affected keys$"],
  },
  {
    reason: "The memory limit evicts instead of refusing, and may not be so low.",
    tests: [
      "EXEC fails if there are errors while queueing commands #2",
      "If EXEC aborts, the client MULTI state is cleared",
      "DISCARD should not fail during OOM",
      "EXEC with only read commands should not be rejected when OOM",
      "EXEC with at least one use-memory command should fail",
    ],
  },
];
