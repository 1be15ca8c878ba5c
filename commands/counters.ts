/**
 * The counters of INFO. Counting a request is one addition to a typed array. Only requests that can
 * be slow are timed.
 *
 * @module
 */

import { type ErrorKind, errorKinds } from "../protocol.ts";

/** The most verbs that can be counted; more than there are commands. */
const verbsMax = 64;

/** Connections, as the server counts them. */
export interface ConnectionCounts {
  /** Open now. */
  now: number;
  /** Accepted since the start, without the refused ones. */
  total: number;
  /** Refused at the limit since the start. */
  refused: number;
}

/** The counters of one server. Each starts at zero. */
export class Counters {
  /** Requests by the number of their verb. */
  readonly requests: Float64Array<ArrayBuffer> = new Float64Array(verbsMax);
  /** Error replies by kind. */
  readonly errors: Record<ErrorKind, number>;
  /** Open and past connections. */
  readonly connections: ConnectionCounts = { now: 0, total: 0, refused: 0 };
  /** Keys that GET and MGET found. */
  hits = 0;
  /** Keys that GET and MGET did not find. */
  misses = 0;
  /** The longest time that one timed request, or one step of it, held the event loop. */
  slowestMs = 0;
  /** The number of that request's verb. */
  slowestVerb = 0;

  constructor() {
    this.errors = Object.fromEntries(errorKinds.map((kind) => [kind, 0])) as Record<
      ErrorKind,
      number
    >;
  }

  /** Notes how long a request, or a step of it, took. */
  time(verb: number, ms: number): void {
    if (ms <= this.slowestMs) return;
    this.slowestMs = ms;
    this.slowestVerb = verb;
  }
}
