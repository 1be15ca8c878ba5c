/**
 * The options of the shell: how to reach a store, which mode to run in, and where to read and
 * write. The command line turns its flags into a {@linkcode ClientOptions}; tests pass their own
 * {@linkcode ShellIo}. The shell does not know whether a network lies between it and the store.
 *
 * @module
 */

/** The interface of a store to the shell; the client library's `BlinkStore` implements it. */
export interface ShellStore {
  /**
   * Sends one request line, given without its line break, and resolves with the reply line. Rejects
   * when the connection is lost; the next call connects again.
   */
  request(
    line: string | Uint8Array,
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<string>;
  /** Logs in with a token now and after every reconnect; rejects when it is refused. */
  auth?(
    token: string,
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<unknown>;
  /** Closes the connection. */
  close(): void | Promise<void>;
}

/** What `blink-store client` does with its words. */
export type ClientMode =
  /** Runs the words as one command; without words, reads commands from the terminal or a pipe. */
  | "command"
  /** Prints a line a second about what the server does. */
  | "stat"
  /** Lists keys, a line each. */
  | "scan"
  /** Measures round trips. */
  | "latency";

/** How replies are printed. */
export type OutputFormat =
  /** Readable on a terminal, plain for scripts elsewhere. */
  | "text"
  /** One JSON document a reply, a line each. */
  | "json"
  /** One record a reply, fields as in RFC 4180. */
  | "csv";

/** What `blink-store client` or `blink-store run` has to do. */
export interface ClientOptions {
  /** Where the store is, as the greeting names it: `127.0.0.1:8765`, or a socket's path. */
  readonly address: string;
  /** Opens the store; rejects with an error whose message says what to do. */
  readonly connect: () => Promise<ShellStore>;
  /** What to do. Default `"command"`. */
  readonly mode?: ClientMode;
  /** The words of a one-off command; none for the interactive shell or piped input. */
  readonly words?: readonly string[];
  /** `-x`: the last argument is read from standard input, byte for byte. */
  readonly lastFromInput?: boolean;
  /** `--raw`: a value is printed as its exact bytes, without a line feed after it. */
  readonly raw?: boolean;
  /** `--json`, `--csv`. Default `"text"`. */
  readonly output?: OutputFormat;
  /** `--json-values`: values that are JSON are pretty-printed. */
  readonly jsonValues?: boolean;
  /**
   * `-r N`: how often a one-off command runs, or how many lines of `--stat` and samples of
   * `--latency`; `Infinity` is until interrupted.
   */
  readonly repeat?: number;
  /** `-i SECONDS`: the pause between two runs, lines or samples. */
  readonly intervalSeconds?: number;
  /** `--scan [PREFIX]`: what the listed keys begin with; empty for all. */
  readonly scanPrefix?: string;
}

/** Exit statuses of the client. */
export const exitStatus = {
  /** All went well. */
  ok: 0,
  /** A reply was an ERROR, a one-off GET or DELETE found nothing, or the connection failed. */
  failed: 1,
  /** The words are not a command. */
  usage: 2,
} as const;

/** Where the shell writes text or bytes. */
export interface ShellOutput {
  /** Writes all of it; rejects when the other side is gone (a closed pipe). */
  write(chunk: string | Uint8Array): Promise<void>;
  /** True for a terminal. */
  readonly isTerminal: boolean;
  /** The width of the terminal in columns. */
  columns(): number;
}

/** Input, output and environment of the shell: those of the process, or a test's own. */
export interface ShellIo {
  /** Standard input, as bytes. */
  readonly input: ReadableStream<Uint8Array>;
  /** True when standard input is a terminal. */
  readonly inputIsTerminal: boolean;
  /** Standard output: replies. */
  readonly output: ShellOutput;
  /** Standard error: everything that is not a reply. */
  readonly errors: ShellOutput;
  /** An environment variable; undefined when it is unset or may not be read. */
  env(name: string): string | undefined;
  /** Hands every key to the shell as it is typed, or gives line-wise input back to the terminal. */
  setRaw(on: boolean): void;
  /** True when Ctrl-Z can suspend this process. */
  maySuspend(): boolean;
  /** Calls back when the terminal's size changes; returns a function that stops it. */
  onResize(changed: () => void): () => void;
  /** Aborts at the first Ctrl-C or SIGTERM, which then no longer ends the process by itself. */
  interrupted(): AbortSignal;
}
