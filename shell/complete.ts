/**
 * Completion with the Tab key: commands and options from the one table, keys from the store by
 * SCAN, bounded in number, requests and time. A key that is not safe on a terminal, or that a line
 * cannot name, is not offered.
 *
 * @module
 */
import { type Argument, type Command, commands } from "../commands/mod.ts";
import { isSafe } from "./escape.ts";
import type { ShellStore } from "./options.ts";
import { decodeKey, parseReply } from "../client.ts";
import { argumentAt, tokenize } from "./tokenizer.ts";

/** Keys offered at most. */
export const completionKeysMax = 100;
/** How long the search for keys may take, in milliseconds. */
export const completionTimeMs = 250;
/** SCAN requests for one completion at most. */
const scanRequestsMax = 50;
/** Entries that each of them visits. */
const scanCount = 1000;

/** Finds keys that begin with a prefix. */
export type FindKeys = (prefix: string) => Promise<readonly string[]>;

/** The candidates for the word at the cursor, and that word. */
export type Completion = [candidates: string[], word: string];

/** The candidates for the end of a line. */
export async function complete(line: string, findKeys: FindKeys): Promise<Completion> {
  const { done, word, command } = tokenize(line);
  if (done.length === 0) return [verbsLike(word), word];
  if (!command) return [[], word];
  if (command.verb === "HELP") return [done.length === 1 ? verbsLike(word) : [], word];
  const argument = argumentAt(command, done.length - 1);
  switch (argument?.kind) {
    case "key":
    case "prefix":
      return [[...await findKeys(word)], word];
    case "options":
      return [optionsLike(word, argument), word];
    case "seconds":
      return ["never".startsWith(word) && word !== "" ? ["never "] : [], word];
    default:
      return [[], word];
  }
}

/** The verbs that begin with the word, in the case in which it is typed. */
function verbsLike(word: string): string[] {
  const small = word !== "" && word === word.toLowerCase();
  return (commands as readonly Command[])
    .flatMap(({ verb, aliases, args }) =>
      [verb, ...aliases].map((name) => name + (args.length > 0 || name === "HELP" ? " " : ""))
    )
    .filter((name) => name.startsWith(word.toUpperCase()))
    .map((name) => small ? name.toLowerCase() : name);
}

/** The option words that continue a comma-separated list. */
function optionsLike(word: string, argument: Argument): string[] {
  const comma = word.lastIndexOf(",") + 1;
  const head = word.slice(0, comma);
  return (argument?.options ?? []).map(({ name }) => name)
    .filter((name) => name.startsWith(word.slice(comma)))
    .map((name) => head + name);
}

function canBeTyped(key: string): boolean {
  return isSafe(key) && !key.includes(" ");
}

/**
 * Finds keys in a store; none, within the time limit, if it cannot list them or does not answer.
 */
export function keyFinder(store: ShellStore): FindKeys {
  return async (prefix) => {
    const found = new Set<string>();
    const signal = AbortSignal.timeout(completionTimeMs);
    let cursor = "0";
    for (let round = 0; round < scanRequestsMax && found.size < completionKeysMax; round++) {
      const line = `SCAN ${cursor} ${scanCount}${prefix === "" ? "" : " " + prefix}`;
      const reply = await store.request(line, { signal }).then(parseReply, () => undefined);
      if (reply?.kind !== "KEYS") break;
      for (const key of reply.keys.map(decodeKey)) if (canBeTyped(key)) found.add(key);
      cursor = reply.next;
      if (cursor === "0") break;
    }
    return [...found].sort().slice(0, completionKeysMax);
  };
}
