/**
 * The limits that the protocol itself sets. Those an operator may choose are the server's.
 *
 * @module
 */

/** The longest key, in bytes. */
export const keyBytesMax = 65_535;

/** The shortest time to live, in seconds. */
export const ttlSecondsMin = 0.001;

/** The longest time to live, in seconds: ten years of 365 days. */
export const ttlSecondsMax = 315_360_000;

/** How many entries a SCAN visits when it is not told. */
export const scanCountDefault = 100;

/** The most entries that one SCAN may be told to visit. */
export const scanCountMax = 10_000;

/** The most characters of a client's own word that an error line repeats. */
export const echoedCharactersMax = 64;
