/**
 * Loads the Redis client, which only a copy needs. A module that it depends on, `debug`, lists the
 * whole environment while it is loaded, and this program may read only its own variables: so it
 * finds an empty environment then.
 *
 * @module
 */

import process from "node:process";
import type { Redis } from "ioredis";

/** Resolves with the class of the client. */
export async function loadRedis(): Promise<typeof Redis> {
  const { env } = process;
  process.env = {};
  try {
    return (await import("ioredis")).Redis;
  } finally {
    process.env = env;
  }
}
