/**
 * The commands' door: the one table of what a request may ask for.
 *
 * @module
 */

export {
  type Argument,
  type ArgumentKind,
  type Command,
  commandNamed,
  commands,
  usageOf,
  type Verb,
} from "../protocol/commands.ts";
