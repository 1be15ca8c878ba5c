/**
 * The subcommands of CLIENT that look at all clients, in every thread: INFO, LIST, KILL.
 *
 * @module
 */

import type { Arguments } from "../../protocol.ts";
import type { ClientFilter, ClientRecord, ClientsRequest } from "../clients.ts";
import type { Context } from "../context.ts";
import type { Operation, Step } from "../operation.ts";
import type { SessionControl } from "../session_control.ts";
import { isWord, numberOf, textOf } from "./words.ts";

/** The only user that there is. */
const userName = "default";

/** The flags of a client as Redis writes them. */
function flagsOf(record: ClientRecord): string {
  const flags = (record.queuedRequests >= 0 ? "x" : "") + (record.isNoEvict ? "e" : "") +
    (record.isNoTouch ? "T" : "") + (record.isUnix ? "U" : "");
  return flags === "" ? "N" : flags;
}

/** A record as one line of CLIENT LIST, whose fields are those of Redis; a client of lines has resp=0. */
export function clientLine(record: ClientRecord): string {
  const { inputBytes, queuedBytes, outputBytes } = record;
  const fields: readonly (readonly [string, string | number])[] = [
    ["id", record.id],
    ["addr", record.address],
    ["laddr", record.localAddress],
    ["fd", record.fd],
    ["name", record.name],
    ["age", Math.floor(record.ageMs / 1000)],
    ["idle", Math.floor(record.idleMs / 1000)],
    ["flags", flagsOf(record)],
    ["db", 0],
    ["sub", 0],
    ["psub", 0],
    ["ssub", 0],
    ["multi", record.queuedRequests],
    ["watch", record.watchedKeys],
    ["qbuf", inputBytes],
    ["qbuf-free", 0],
    ["argv-mem", 0],
    ["multi-mem", queuedBytes],
    ["rbs", 0],
    ["rbp", 0],
    ["obl", 0],
    ["oll", 0],
    ["omem", outputBytes],
    ["tot-mem", inputBytes + queuedBytes + outputBytes],
    ["events", "r"],
    ["cmd", record.command === "" ? "NULL" : record.command],
    ["user", userName],
    ["redir", -1],
    ["resp", record.respVersion],
    ["lib-name", record.libraryName],
    ["lib-ver", record.libraryVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}

/** Asks for clients, and writes a reply from what it gets. */
class ClientsOperation implements Operation {
  readonly isExclusive = true;
  readonly heldBytes = 0;
  onReady?: () => void;
  #records: readonly ClientRecord[] | undefined;
  readonly #reply: (records: readonly ClientRecord[]) => void;
  readonly #stop: () => void;

  constructor(
    { clients }: Context,
    request: ClientsRequest,
    reply: (records: readonly ClientRecord[]) => void,
  ) {
    this.#reply = reply;
    this.#stop = clients.ask(request, (records) => {
      this.#records = records;
      this.onReady?.();
    });
  }

  step(): Step {
    if (this.#records === undefined) return "wait";
    this.#reply(this.#records);
    return "done";
  }

  cancel(): void {
    this.#stop();
  }
}

/** Answers at once where it can, since only then a transaction can hold the request. */
function ask(
  context: Context,
  request: ClientsRequest,
  reply: (records: readonly ClientRecord[]) => void,
): Operation | undefined {
  const operation = new ClientsOperation(context, request, reply);
  if (operation.step() === "done") return undefined;
  if (!context.isAtomic) return operation;
  operation.cancel();
  const text = "ERR clients of several threads cannot be listed in a transaction";
  return context.failRedis("wrong_state", text);
}

export function informOfClient(
  context: Context,
  _args: Arguments,
  _bytes: Uint8Array,
  { id }: SessionControl,
): Operation | undefined {
  const request: ClientsRequest = { kind: "list", filter: { ids: [id] }, askerId: id };
  return ask(context, request, (records) => {
    const lines = records.map((record) => clientLine({ ...record, command: "client|info" }));
    context.redis.verbatim(lines.map((line) => `${line}\n`).join(""));
  });
}

export function listClients(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  { id }: SessionControl,
): Operation | undefined {
  const filter = listFilter(context, args, bytes);
  if (filter === undefined) return undefined;
  return ask(context, { kind: "list", filter, askerId: id }, (records) => {
    const lines = records.map((record) =>
      clientLine(record.id === id ? { ...record, command: "client|list" } : record)
    );
    context.redis.verbatim(lines.map((line) => `${line}\n`).join(""));
  });
}

/** What the options of LIST name; undefined where they are wrong, which is answered. */
function listFilter(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
): ClientFilter | undefined {
  if (args.count === 2) return {};
  if (args.count === 4 && isWord(args, 2, bytes, "type")) {
    return typeFilter(context, args, 3, bytes);
  }
  if (args.count < 4 || !isWord(args, 2, bytes, "id")) return syntaxError(context);
  const ids: number[] = [];
  for (let n = 3; n < args.count; n++) {
    const id = numberOf(args, n, bytes);
    if (id === undefined || id < 1) {
      return context.failRedis("bad_number", "ERR Invalid client ID");
    }
    ids.push(id);
  }
  return { ids };
}

/** Every client is a normal one. */
function typeFilter(
  context: Context,
  args: Arguments,
  n: number,
  bytes: Uint8Array,
): ClientFilter | undefined {
  const type = textOf(args, n, bytes);
  switch (type.toLowerCase()) {
    case "normal":
      return {};
    case "master":
    case "replica":
    case "slave":
    case "pubsub":
      return { ids: [] };
    default:
      return context.failRedis("unknown_option", `ERR Unknown client type '${type}'`);
  }
}

function syntaxError(context: Context): undefined {
  return context.failRedis("unknown_option", "ERR syntax error");
}

export function killClients(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  session: SessionControl,
): Operation | undefined {
  if (context.isAtomic) {
    const text = "ERR CLIENT KILL is not allowed in a transaction";
    return context.failRedis("wrong_state", text);
  }
  const askerId = session.id;
  // The old form: one address, and the reply is OK or an error.
  const isOldForm = args.count === 3;
  const filter = isOldForm
    ? { address: textOf(args, 2, bytes) }
    : killFilter(context, args, bytes, askerId);
  if (filter === undefined) return undefined;
  return ask(context, { kind: "kill", filter, askerId }, (records) => {
    if (!isOldForm) context.redis.integer(records.length);
    else if (records.length > 0) context.redis.ok();
    else context.failRedis("wrong_state", "ERR No such client");
    if (records.some(({ id }) => id === askerId)) session.close();
  });
}

/** What the options of KILL name; undefined where they are wrong, which is answered. */
function killFilter(
  context: Context,
  args: Arguments,
  bytes: Uint8Array,
  askerId: number,
): ClientFilter | undefined {
  if (args.count % 2 !== 0) return syntaxError(context);
  let filter: ClientFilter = { exceptId: askerId };
  for (let n = 2; n < args.count; n += 2) {
    const more = killOption(context, args, n, bytes, askerId);
    if (more === undefined) return undefined;
    // No client meets two conditions that name different clients.
    const ids = filter.ids === undefined || more.ids === undefined
      ? filter.ids ?? more.ids
      : filter.ids.filter((id) => more.ids?.includes(id));
    filter = { ...filter, ...more, ids };
  }
  return filter;
}

/** What one option of KILL names; undefined where it is wrong, which is answered. */
function killOption(
  context: Context,
  args: Arguments,
  n: number,
  bytes: Uint8Array,
  askerId: number,
): ClientFilter | undefined {
  const value = textOf(args, n + 1, bytes);
  switch (textOf(args, n, bytes).toLowerCase()) {
    case "id": {
      const id = numberOf(args, n + 1, bytes);
      if (id !== undefined && id > 0) return { ids: [id] };
      return context.failRedis("bad_number", "ERR client-id should be greater than 0");
    }
    case "maxage": {
      const seconds = numberOf(args, n + 1, bytes);
      if (seconds !== undefined && seconds > 0) return { ageMsMin: seconds * 1000 };
      return context.failRedis("bad_number", "ERR maxage should be greater than 0");
    }
    case "addr":
      return { address: value };
    case "laddr":
      return { localAddress: value };
    case "type":
      return typeFilter(context, args, n + 1, bytes);
    case "user":
      if (value === userName) return {};
      return context.failRedis("wrong_arguments", `ERR No such user '${value}'`);
    case "skipme":
      if (isWord(args, n + 1, bytes, "yes")) return { exceptId: askerId };
      if (isWord(args, n + 1, bytes, "no")) return { exceptId: undefined };
      return syntaxError(context);
    default:
      return syntaxError(context);
  }
}
