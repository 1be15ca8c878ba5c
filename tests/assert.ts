/**
 * The assertions that the tests use: the standard library's, with their types.
 *
 * @module
 */

// @ts-types="../types/std.d.ts"
export { assert } from "@std/assert/assert";
// @ts-types="../types/std.d.ts"
export { assertEquals } from "@std/assert/equals";
// @ts-types="../types/std.d.ts"
export { assertNotEquals } from "@std/assert/not-equals";
// @ts-types="../types/std.d.ts"
export { assertMatch } from "@std/assert/match";
// @ts-types="../types/std.d.ts"
export { assertStringIncludes } from "@std/assert/string-includes";
// @ts-types="../types/std.d.ts"
export { assertInstanceOf } from "@std/assert/instance-of";
// @ts-types="../types/std.d.ts"
export { assertThrows } from "@std/assert/throws";
// @ts-types="../types/std.d.ts"
export { assertRejects } from "@std/assert/rejects";
