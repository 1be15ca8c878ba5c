/**
 * Compares the replies to random requests about keys with those of a real Redis.
 *
 * @module
 */

import { compareWithRedis } from "./redis_differential.ts";
import { keyRequest } from "./redis_key_requests.ts";

Deno.test("redis keys: replies are those of a real Redis", () => compareWithRedis(keyRequest));
