/**
 * The limits that the protocol itself sets. Those that an operator can choose are the server's.
 *
 * @module
 */

/** The longest key, in bytes. */
export const keyBytesMax = 65_535;

/** The shortest time to live, in seconds. */
export const ttlSecondsMin = 0.001;

/** The longest time to live, in seconds: ten years of 365 days. */
export const ttlSecondsMax = 315_360_000;

/** The longest text of a number of seconds, in characters. */
export const secondsCharactersMax = 400;

/** How many entries a SCAN visits by default. */
export const scanCountDefault = 100;

/** The most entries that one SCAN can be asked to visit. */
export const scanCountMax = 10_000;

/**
 * The largest cursor that SCAN accepts; cursors that SCAN returns are never larger: 32 bits for the
 * place in a shard of the store, and 6 for the shard.
 */
export const scanCursorMax = 2 ** 38 - 1;

/** The most characters of a client's own word that an error line repeats. */
export const echoedCharactersMax = 64;

/** The most arguments of a request on the Redis wire. */
export const argumentsMax = 1024 * 1024;

/** The same before AUTH, where a token is required; as in Redis. */
export const argumentsBeforeAuthMax = 10;

/** The longest argument before AUTH, in bytes; as in Redis. */
export const argumentBytesBeforeAuthMax = 16 * 1024;

/**
 * The highest memory limit that a server can have, in bytes: of the 32 GiB that the store has for
 * records, it leaves half to what each entry adds.
 */
export const memoryLimitBytesMax: number = 16 * 1024 ** 3;
