/**
 * Compares the replies to random requests about values with those of a real Redis.
 *
 * @module
 */

import { compareWithRedis } from "./redis_differential.ts";
import { stringRequest } from "./redis_string_requests.ts";

Deno.test("redis strings: replies are those of a real Redis", () =>
  compareWithRedis(stringRequest));
