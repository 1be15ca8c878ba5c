/**
 * The default address: where a server listens and a client connects unless options say otherwise.
 *
 * @module
 */

/** The default host: this machine only. */
export const hostDefault = "127.0.0.1";

/** The default TCP port. */
export const portDefault = 8765;
