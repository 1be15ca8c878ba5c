/**
 * A Worker that answers each message with the time of the clock that threads share.
 *
 * @module
 */

import { loadLibc } from "../server/libc.ts";
import { sharedClock } from "../server/shared_clock.ts";

const scope = globalThis as unknown as {
  onmessage: (() => void) | null;
  postMessage(message: number): void;
};
const now = sharedClock(loadLibc()!);

scope.onmessage = () => scope.postMessage(now());
