/**
 * What a command may ask of the session that runs it.
 *
 * @module
 */

/** The part of a session that commands see. */
export interface SessionControl {
  /** Whether the client has logged in, or no token is required. */
  isAuthenticated: boolean;
  /** Ends the connection once pending replies are sent; nothing behind this request runs. */
  close(): void;
  /** Reports a failed AUTH to the operator. */
  authenticationFailed(): void;
  /** Takes memory for a large reply from the server's bound: false when there is none left now. */
  tryHold(bytes: number): boolean;
  /** Calls back once `tryHold` of so many bytes may succeed; returns how to stop waiting. */
  whenFree(bytes: number, callback: () => void): () => void;
}
