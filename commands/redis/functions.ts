/**
 * FUNCTION FLUSH. There are no functions here, so nothing is left of them; Redis's own tests and
 * other programs that empty a server ask for it next to FLUSHALL.
 *
 * @module
 */

import type { RedisCommand } from "./command.ts";
import { otherTypeText } from "./other_types.ts";
import { isWord } from "./words.ts";

export const functions: RedisCommand = {
  name: "function",
  arity: -2,
  flags: ["noscript"],
  group: "server",
  summary: "Deletes all functions, of which there are none.",
  usage: "FLUSH [ASYNC | SYNC]",

  execute(context, args, bytes) {
    if (!isWord(args, 1, bytes, "flush")) {
      return context.failRedis("unknown_command", otherTypeText("function", "scripts"));
    }
    const isKnown = args.count === 2 ||
      args.count === 3 && (isWord(args, 2, bytes, "async") || isWord(args, 2, bytes, "sync"));
    if (!isKnown) {
      return context.failRedis(
        "unknown_option",
        "ERR FUNCTION FLUSH only supports SYNC|ASYNC option",
      );
    }
    context.redis.ok();
  },
};
