/**
 * From the bytes of a verb to its number. The numbers are the places of the commands in the table;
 * nothing here lists a verb by itself.
 *
 * A verb is packed into one small integer, five bits a letter, so that it is compared in one step
 * and without a string. So a verb has at most six letters, which is checked when this file loads.
 *
 * @module
 */

import { type Command, commands, type Verb } from "./commands.ts";

/** Letters that fit a small integer at five bits each. */
const lettersMax = 6;

/** The number of "no such verb". */
export const noVerb = -1;

/** Each verb's number: its place in the table of commands. */
export const verbs = Object.fromEntries(
  commands.map(({ verb }, number) => [verb, number]),
) as Readonly<Record<Verb, number>>;

/** True for each verb that is answered before AUTH. */
export const openVerbs: readonly boolean[] = commands.map((command: Command) =>
  command.open === true
);

function pack(word: string): number {
  if (!/^[A-Z]+$/.test(word) || word.length > lettersMax) {
    throw new Error(`Cannot pack the verb ${word}: it is not 1 to ${lettersMax} letters`);
  }
  let packed = 0;
  for (const letter of word) packed = packed << 5 | letter.charCodeAt(0) & 31;
  return packed;
}

const numberOfPacked = new Map<number, number>();
commands.forEach((command: Command, number) => {
  for (const word of [command.verb, ...command.aliases]) numberOfPacked.set(pack(word), number);
});

const get = pack("GET");
const set = pack("SET");

/** The number of the verb that is `bytes[start, end)`, in any case; `noVerb` when there is none. */
export function verbNumber(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > lettersMax) return noVerb;
  let packed = 0;
  for (let at = start; at < end; at++) {
    const letter = bytes[at] | 0x20;
    if (letter < 0x61 || letter > 0x7a) return noVerb;
    packed = packed << 5 | letter & 31;
  }
  // The two that matter most are found without the table.
  if (packed === get) return verbs.GET;
  if (packed === set) return verbs.SET;
  return numberOfPacked.get(packed) ?? noVerb;
}
