/**
 * The version of this project, in one place: it is the one that `deno.json` publishes.
 *
 * @module
 */

import config from "./deno.json" with { type: "json" };

/** The version, as `major.minor.patch`. */
export const version: string = config.version;
