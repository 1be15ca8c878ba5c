/**
 * The clients of one event loop, for commands that list or end them; and the way to those of the
 * other threads.
 *
 * A thread that asks sends a message to each of the others, and each answers with the records of
 * its clients. Messages between two Workers go by the main thread. A thread answers as long as it
 * lives; one that dies takes the process with it, so no answer is waited for in vain.
 *
 * @module
 */

import { type ClientRecord, type Clients, type ClientsRequest, isMeant } from "../commands/mod.ts";

/** The connections of one event loop. */
export interface OwnConnections {
  readonly connections: Iterable<{ record(nowMs: number): ClientRecord; abort(): void }>;
  readonly commands: { now(): number };
}

/** The clients of one event loop. */
export class OwnClients implements Clients {
  readonly #context: OwnConnections;

  constructor(context: OwnConnections) {
    this.#context = context;
  }

  /** Does what is asked with the clients of this thread. */
  own({ kind, filter, askerId }: ClientsRequest): ClientRecord[] {
    const { connections, commands } = this.#context;
    const nowMs = commands.now();
    const records: ClientRecord[] = [];
    for (const connection of [...connections]) {
      const record = connection.record(nowMs);
      if (!isMeant(record, filter)) continue;
      records.push(record);
      if (kind === "kill" && record.id !== askerId) connection.abort();
    }
    return records;
  }

  ask(request: ClientsRequest, done: (records: readonly ClientRecord[]) => void): () => void {
    done(sorted(this.own(request)));
    return () => {};
  }
}

/** A question to the clients of another thread, or the answer to one. */
export type ClientsMessage =
  & {
    readonly kind: "clients";
    /** The thread that it is for, and the one that sends it. */
    readonly to: number;
    readonly from: number;
    /** The question's number, which the one who asks has chosen. */
    readonly number: number;
  }
  & ({ readonly request: ClientsRequest } | { readonly records: readonly ClientRecord[] });

/** A question that other threads have still to answer. */
interface Question {
  readonly records: ClientRecord[];
  missingAnswers: number;
  readonly done: (records: readonly ClientRecord[]) => void;
}

/** The clients of all threads, as one thread sees them. */
export class AllClients implements Clients {
  readonly #own: OwnClients;
  readonly #thread: number;
  readonly #threads: number;
  readonly #post: (message: ClientsMessage) => void;
  readonly #questions = new Map<number, Question>();
  #asked = 0;

  /** `thread` is the number of this one among `threads`; `post` sends a message on its way. */
  constructor(
    own: OwnClients,
    thread: number,
    threads: number,
    post: (message: ClientsMessage) => void,
  ) {
    this.#own = own;
    this.#thread = thread;
    this.#threads = threads;
    this.#post = post;
  }

  ask(request: ClientsRequest, done: (records: readonly ClientRecord[]) => void): () => void {
    const number = this.#asked++;
    const records = this.#own.own(request);
    this.#questions.set(number, { records, missingAnswers: this.#threads - 1, done });
    const from = this.#thread;
    for (let to = 0; to < this.#threads; to++) {
      if (to !== from) this.#post({ kind: "clients", to, from, number, request });
    }
    return () => this.#questions.delete(number);
  }

  /** Takes a message: answers it, takes the answer, or hands it on to the thread that it is for. */
  received(message: ClientsMessage): void {
    const { to, from, number } = message;
    if (to !== this.#thread) return this.#post(message);
    if ("request" in message) {
      const records = this.#own.own(message.request);
      return this.#post({ kind: "clients", to: from, from: to, number, records });
    }
    const question = this.#questions.get(number);
    if (question === undefined) return;
    question.records.push(...message.records);
    if (--question.missingAnswers > 0) return;
    this.#questions.delete(number);
    question.done(sorted(question.records));
  }
}

function sorted(records: ClientRecord[]): ClientRecord[] {
  return records.sort((a, b) => a.id - b.id);
}
