/**
 * `DELETE key [match=BASE64]`: removes a key; with `match=`, only if it has this value.
 *
 * @module
 */

import { skipBlanks } from "../protocol.ts";
import { type Command, key } from "./command.ts";
import { parseLastOptions } from "./options.ts";
import { conditionHolds } from "./put_value.ts";

export const remove: Command = {
  verb: "DELETE",
  aliases: ["DEL"],
  args: [
    key,
    {
      name: "match=BASE64",
      kind: "options",
      optional: true,
      options: [
        { name: "match=", meaning: "only if its value is this one, in base64, else CONFLICT" },
      ],
    },
  ],
  summary: "remove a key; with match= only if its value is this one",
  example: "DELETE lock match=bWU=",
  replies: ["OK", "NOT_FOUND", "CONFLICT"],
  isCore: true,
  writes: true,
  needsNoAuth: false,
  timed: "never",

  parse(bytes, at, end, request) {
    request.condition = "none";
    const rest = skipBlanks(bytes, at, end);
    if (rest < end) parseLastOptions(bytes, rest, end, ["match="], request);
  },

  execute(context, request, bytes) {
    const { store, output } = context;
    if (request.condition === "none") {
      if (store.delete(bytes, request.keyStart, request.keyEnd)) output.ok();
      else output.notFound();
      return undefined;
    }
    const handle = store.find(bytes, request.keyStart, request.keyEnd);
    if (!conditionHolds(context, request, bytes, handle)) return undefined;
    store.delete(bytes, request.keyStart, request.keyEnd);
    output.ok();
  },
};
