/**
 * The fair scheduler of the portable event loop, and what makes the runtime poll.
 *
 * @module
 */

import {
  fairConnections,
  roundBytes,
  roundReads,
  roundRequests,
  Scheduler,
} from "../server/scheduler.ts";
import { Waker } from "../server/waker.ts";
import { assert, assertEquals } from "./assert.ts";
import { within } from "./raw_client.ts";

/** A poll that ends when a test says so. */
class ManualPoll {
  readonly #waiting: (() => void)[] = [];

  wake(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets the poll end, and waits until the scheduler has gone on as far as it can. */
  async finish(): Promise<void> {
    this.#waiting.shift()?.();
    // A task of the event loop runs after every microtask that the poll has caused.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }
}

Deno.test("scheduler: with few connections only requests and bytes end a round", () => {
  const scheduler = new Scheduler({ size: fairConnections }, new ManualPoll());
  for (let read = 0; read < 10 * roundReads; read++) scheduler.countRead(100);
  assert(!scheduler.shouldYield);
  scheduler.countWork(roundRequests - 1, roundBytes - 1000 * roundReads - 1);
  assert(!scheduler.shouldYield);
  scheduler.countWork(0, 1);
  assert(scheduler.shouldYield);
  const others = new Scheduler({ size: 1 }, new ManualPoll());
  others.countWork(roundRequests - 1, 0);
  assert(!others.shouldYield);
  others.countWork(1, 0);
  assert(others.shouldYield);
});

Deno.test("scheduler: with many connections a round ends once hardly any connection is left", async () => {
  const poll = new ManualPoll();
  const scheduler = new Scheduler({ size: fairConnections + 1 }, poll);
  for (let read = 0; read < roundReads - 1; read++) scheduler.countRead(1);
  assert(!scheduler.shouldYield);
  scheduler.countRead(1);
  assert(scheduler.shouldYield);
  let released = 0;
  const yielded = [scheduler.yield(), scheduler.yield()].map((round) =>
    round.then(() => released++)
  );
  // The poll brings a full share of others: they were waiting, so it polls once more.
  for (let read = 0; read < roundReads; read++) scheduler.countRead(1);
  await poll.finish();
  assertEquals(released, 0);
  assert(scheduler.shouldYield && poll.isAwaited);
  for (let read = 0; read < roundReads - 1; read++) scheduler.countRead(1);
  await poll.finish();
  await Promise.all(yielded);
  assertEquals(released, 2);
  assert(!scheduler.shouldYield && !poll.isAwaited);
});

// Large replies that waited for a poll went on only with the server's next tick.
Deno.test("scheduler: a poll that is wanted comes, and so does one that is wanted meanwhile", async () => {
  const poll = new ManualPoll();
  let polls = 0;
  const scheduler = new Scheduler({ size: 1 }, poll, () => {
    // The first poll lets somebody go on who wants another one.
    if (++polls === 1) scheduler.wantPoll();
  });
  scheduler.wantPoll();
  scheduler.wantPoll();
  for (let expected = 1; expected <= 2; expected++) {
    assert(poll.isAwaited);
    await poll.finish();
    assertEquals(polls, expected);
  }
  assert(!poll.isAwaited);
});

Deno.test("scheduler: without a poll a timer does", async () => {
  const scheduler = new Scheduler({ size: 1000 });
  for (let read = 0; read < roundReads; read++) scheduler.countRead(1);
  await within(scheduler.yield(), "the next round");
  assert(!scheduler.shouldYield);
});

Deno.test("waker: resolves each time, and holds nobody up once it is closed", async () => {
  const waker = await Waker.create();
  assert(waker !== undefined);
  for (let wake = 0; wake < 100; wake++) await within(waker.wake(), "the waker");
  waker.close();
  waker.close();
  await within(waker.wake(), "the timer");
});
