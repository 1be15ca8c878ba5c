/**
 * The commands' door: the table of commands, and how a request is parsed and run on a store. Each
 * command is one file, which holds its entry in the table, its parsing and its execution.
 *
 * @module
 */

export {
  type Argument,
  type ArgumentKind,
  type Command,
  type CommandEntry,
  type Option,
  usageOf,
} from "./command.ts";
export {
  type ClientRecord,
  type Clients,
  type ClientsRequest,
  isMeant,
  type SocketAddresses,
} from "./clients.ts";
export {
  Context,
  type ContextOptions,
  type Schedule,
  scheduleByTimer,
  type SharedParts,
} from "./context.ts";
export { Counters, countersLength } from "./counters.ts";
export { CommandTable, timedValueBytesMin } from "./dispatch.ts";
export { authDelayMs } from "./auth.ts";
export type { Operation, Step } from "./operation.ts";
export type { SessionControl } from "./session_control.ts";
export { commandNamed, commands, commandTable } from "./table.ts";
export { RedisClient } from "./redis/client.ts";
export type { RedisCommand } from "./redis/command.ts";
export { type ProcessorTime, type Settings, settingsDefault } from "./settings.ts";
export { redisCommands, redisTable } from "./redis/table.ts";
