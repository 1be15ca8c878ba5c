/**
 * A fake terminal for the shell's tests: a terminal or pipes in memory, whose input the test types
 * and whose output it reads. And a server in this process to talk to.
 *
 * @module
 */
import { connect } from "../client.ts";
import { type ClientOptions, runClient, type ShellIo, type ShellOutput } from "../shell/mod.ts";
import { serve, type Server, type ServerOptions } from "../server.ts";

const encoder = new TextEncoder();

/** How long a test waits for what it expects, in milliseconds. */
const waitMs = 10_000;

/** An output in memory that a test can wait on. */
class Screen implements ShellOutput {
  bytes = new Uint8Array();
  #changed: (() => void)[] = [];

  constructor(readonly isTerminal: boolean, readonly width: number) {}

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  write(chunk: string | Uint8Array): Promise<void> {
    const more = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    const all = new Uint8Array(this.bytes.length + more.length);
    all.set(this.bytes);
    all.set(more, this.bytes.length);
    this.bytes = all;
    for (const wake of this.#changed.splice(0)) wake();
    return Promise.resolve();
  }

  columns(): number {
    return this.width;
  }

  /** Resolves once the text holds what is expected behind `from`; rejects when it never does. */
  async shows(expected: string | RegExp, from = 0): Promise<void> {
    const endsAt = Date.now() + waitMs;
    const found = () =>
      typeof expected === "string"
        ? this.text.includes(expected, from)
        : expected.test(this.text.slice(from));
    while (!found()) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        new Promise<void>((resolve) => this.#changed.push(resolve)),
        new Promise<void>((resolve) => timer = setTimeout(resolve, endsAt - Date.now())),
      ]);
      clearTimeout(timer);
      if (Date.now() >= endsAt && !found()) {
        throw new Error(
          `${expected} is not in ${JSON.stringify(this.text.slice(from).slice(-1000))}`,
        );
      }
    }
  }
}

/** How a fake terminal is set up. */
export interface FakeTerminalOptions {
  /** True for a terminal on both sides, false for pipes. */
  terminal?: boolean;
  /** The terminal's width. */
  columns?: number;
  /** The environment; nothing of the real one is seen. */
  env?: Record<string, string>;
  /** Standard input as a whole; left out, the test types it. */
  input?: string | Uint8Array | ReadableStream<Uint8Array>;
}

/** A terminal or pipes in memory. */
export class FakeTerminal {
  readonly output: Screen;
  readonly errors: Screen;
  readonly io: ShellIo;
  /** Whether the terminal gives every key as it is typed. */
  raw = false;
  /** Ends the modes that run until Ctrl-C. */
  readonly end = new AbortController();
  #keys!: ReadableStreamDefaultController<Uint8Array>;

  constructor({ terminal = false, columns = 80, env = {}, input }: FakeTerminalOptions = {}) {
    this.output = new Screen(terminal, columns);
    this.errors = new Screen(terminal, columns);
    const typed = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#keys = controller;
      },
    });
    if (typeof input === "string") input = encoder.encode(input);
    if (input instanceof Uint8Array) {
      this.#keys.enqueue(input);
      this.#keys.close();
    }
    const environment: Record<string, string> = { BLINK_HISTORY: "", ...env };
    this.io = {
      input: input instanceof ReadableStream ? input : typed,
      inputIsTerminal: terminal,
      output: this.output,
      errors: this.errors,
      env: (name) => environment[name],
      setRaw: (on) => {
        this.raw = on;
      },
      maySuspend: () => false,
      onResize: () => () => {},
      interrupted: () => this.end.signal,
    };
  }

  /** Types keys. */
  type(keys: string) {
    this.#keys.enqueue(encoder.encode(keys));
  }

  /** Types keys and waits for what they bring to the screen. */
  async typeFor(keys: string, expected: string | RegExp): Promise<void> {
    const from = this.output.text.length;
    this.type(keys);
    await this.output.shows(expected, from);
  }

  /** Closes the input, as the end of a pipe does. */
  endInput() {
    this.#keys.close();
  }
}

/** A server on a free port, and clients for it. */
export class ShellServer implements AsyncDisposable {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.addresses[0] as Deno.NetAddr).port;
  }

  static async open(options: ServerOptions = {}, port = 0): Promise<ShellServer> {
    return new ShellServer(await serve({ ...options, tcp: [{ hostname: "127.0.0.1", port }] }));
  }

  /** The options with which the shell reaches the server. */
  get options(): ClientOptions {
    return {
      address: `127.0.0.1:${this.port}`,
      connect: () => connect({ port: this.port, connectAttemptsMax: 1 }),
    };
  }

  /** Runs the client in a terminal. */
  run(options: Partial<ClientOptions>, terminal: FakeTerminal): Promise<number> {
    return runClient({ ...this.options, ...options }, terminal.io);
  }

  /** Runs a one-off command with pipes; its status, output and errors. */
  async oneOff(
    words: string[],
    options: Partial<ClientOptions> = {},
    input?: FakeTerminalOptions["input"],
  ) {
    const terminal = new FakeTerminal({ input: input ?? "" });
    const status = await this.run({ ...options, words }, terminal);
    return {
      status,
      text: terminal.output.text,
      bytes: terminal.output.bytes,
      errors: terminal.errors.text,
    };
  }

  /** Ends every connection at once, as a server that dies does. */
  abort() {
    this.#server.abort();
  }

  async [Symbol.asyncDispose]() {
    await this.#server[Symbol.asyncDispose]();
  }
}
