/**
 * The version of Redis that clients are told. They look at it to learn which commands there are.
 *
 * @module
 */

/** The commands of this version are here, as far as they are about strings. */
export const compatibleVersion = "7.4.0";
