/**
 * Tests of cli/stop_signals.ts: the first signal stops, its echo means nothing, a later one ends.
 */
import { SignalClassifier, signalEchoMs } from "../cli/stop_signals.ts";
import { assertEquals } from "./assert.ts";

Deno.test("a signal counts as an echo up to the time limit, and not from it on", () => {
  for (
    const [afterMs, meaning] of [
      [0, "echo"],
      [signalEchoMs - 1, "echo"],
      [signalEchoMs, "end"],
      [signalEchoMs + 1, "end"],
    ] as const
  ) {
    let now = 5000;
    const signals = new SignalClassifier(() => now);
    assertEquals(signals.next(), "stop");
    now += afterMs;
    assertEquals(signals.next(), meaning, `after ${afterMs} ms`);
  }
});

Deno.test("every signal within the limit is an echo of the first, however many there are", () => {
  let now = 0;
  const signals = new SignalClassifier(() => now);
  assertEquals(signals.next(), "stop");
  for (now = 10; now < signalEchoMs; now += 10) assertEquals(signals.next(), "echo");
  now = signalEchoMs;
  assertEquals(signals.next(), "end");
});
