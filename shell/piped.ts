/**
 * Runs commands from a pipe or a file: sends each line unchanged, byte for byte, without waiting
 * for the replies before it, and prints each reply decoded, in order. It skips empty lines and ends
 * at QUIT.
 *
 * Memory is bounded for any input: the requests in flight are limited, to fewer when replies are
 * large, and nothing is read while the reader of the output is behind.
 *
 * @module
 */
import { coloursFor } from "./colours.ts";
import { formatReply, type ReplyStyle } from "./format.ts";
import { LineSplitter } from "./line_splitter.ts";
import { type ClientOptions, exitStatus, type ShellIo, type ShellStore } from "./options.ts";
import { OutputBuffer } from "./output_buffer.ts";
import { requestTimeoutMs } from "./timing.ts";
import { closeStore, fatalErrorText } from "./errors.ts";

/** Requests in flight at most. */
export const inFlightMax = 512;
/** Bytes of requests in flight at most, but for a single longer request. */
export const inFlightBytesMax = 4 * 1024 * 1024;
/** Bytes of replies in flight at most, estimated from the latest replies. */
export const replyBytesInFlightMax = 64 * 1024 * 1024;
/** The longest line taken from the input, in bytes. */
export const pipedLineBytesMax = 256 * 1024 * 1024;
/** Bytes of output that may wait for its reader before the next line is sent. */
const outputWaitingBytesMax = 4 * 1024 * 1024;

/** The factor by which the estimate of a reply's size decays with each reply: half in some 700. */
const replySizeDecay = 0.999;

const requestOptions = { timeoutMs: requestTimeoutMs };
const encoder = new TextEncoder();
const okLine = encoder.encode("OK\n");

/** Runs the lines of standard input; resolves with the exit status. */
export async function runPiped(options: ClientOptions, io: ShellIo): Promise<number> {
  const store = await options.connect();
  try {
    return await new PipedRun(store, options, io).run();
  } finally {
    await closeStore(store);
  }
}

/** One run over the input: what is in flight, the output, and the first failure. */
class PipedRun {
  readonly #store: ShellStore;
  readonly #io: ShellIo;
  readonly #style: ReplyStyle;
  readonly #output: OutputBuffer;
  readonly #simple: boolean;
  #inFlight = 0;
  #inFlightBytes = 0;
  #largestReply = 0;
  #lineNumber = 0;
  #status: number = exitStatus.ok;
  #failure: { lineNumber: number; error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #fail: () => void = () => {};
  /** Resolves at the first failure. */
  readonly #failed = new Promise<undefined>((resolve) => this.#fail = () => resolve(undefined));

  constructor(store: ShellStore, options: ClientOptions, io: ShellIo) {
    this.#store = store;
    this.#io = io;
    this.#output = new OutputBuffer(io.output);
    this.#style = {
      output: options.output ?? "text",
      terminal: io.output.isTerminal,
      colours: coloursFor(io.output, io),
      jsonValues: options.jsonValues ?? false,
    };
    this.#simple = this.#style.output === "text" && !this.#style.terminal;
  }

  async run(): Promise<number> {
    const splitter = new LineSplitter(pipedLineBytesMax);
    let quit = false;
    const reader = this.#io.input.getReader();
    while (!quit && !this.#failure) {
      // A lost connection ends the run also while the input is silent.
      const chunk = await Promise.race([reader.read(), this.#failed]);
      if (!chunk) break;
      quit = await this.#runLines(chunk.done ? splitter.end() : splitter.push(chunk.value));
      if (chunk.done) break;
    }
    while (this.#inFlight > 0 && !this.#failure) await this.#nextReply();
    await this.#output.flushed();
    if (this.#failure) return await this.#report(this.#failure);
    return this.#status;
  }

  /** Sends the lines as capacity allows; true when one of them was QUIT. */
  async #runLines(lines: Iterable<Uint8Array | undefined>): Promise<boolean> {
    for (const line of lines) {
      this.#lineNumber++;
      if (line === undefined) {
        await this.#refuse();
        continue;
      }
      const kind = lineKind(line);
      if (kind === "empty") continue;
      if (kind === "quit") return true;
      if (!this.#hasCapacity(line.length)) await this.#waitForCapacity(line.length);
      if (this.#failure) return false;
      this.#send(line, this.#lineNumber);
    }
    return false;
  }

  #hasCapacity(bytes: number): boolean {
    if (this.#outputIsBehind()) return false;
    if (this.#inFlight === 0) return true;
    return this.#inFlight < Math.min(inFlightMax, replyBytesInFlightMax / this.#largestReply) &&
      this.#inFlightBytes + bytes <= inFlightBytesMax;
  }

  /** True when the caller must await `flushed`, which throws once the output's reader has gone. */
  #outputIsBehind(): boolean {
    return this.#output.failed || this.#output.waitingBytes > outputWaitingBytesMax;
  }

  async #waitForCapacity(bytes: number) {
    while (!this.#failure && !this.#hasCapacity(bytes)) {
      if (this.#outputIsBehind()) await this.#output.flushed();
      else await this.#nextReply();
    }
  }

  #nextReply(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  #send(line: Uint8Array, lineNumber: number) {
    this.#inFlight++;
    this.#inFlightBytes += line.length;
    this.#store.request(line, requestOptions).then(
      (reply) => this.#answered(reply, line.length),
      (error) => {
        this.#failure ??= { lineNumber, error };
        this.#fail();
        this.#ended(line.length);
      },
    );
  }

  #answered(reply: string, lineBytes: number) {
    // After a failure, replies behind the gap would look like those of other lines.
    if (!this.#failure) {
      this.#largestReply = Math.max(reply.length, this.#largestReply * replySizeDecay);
      if (this.#simple && reply === "OK") this.#output.append(okLine);
      else this.#output.append(formatReply(reply, this.#style));
      if (reply.startsWith("ERROR")) this.#status = exitStatus.failed;
    }
    this.#ended(lineBytes);
  }

  #ended(lineBytes: number) {
    this.#inFlight--;
    this.#inFlightBytes -= lineBytes;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Prints an error for a line too long to be sent, in its turn. */
  async #refuse() {
    while (this.#inFlight > 0 && !this.#failure) await this.#nextReply();
    this.#inFlight++;
    this.#answered(`ERROR line too long (max ${pipedLineBytesMax} bytes)`, 0);
  }

  async #report({ lineNumber, error }: { lineNumber: number; error: unknown }): Promise<number> {
    await this.#io.errors.write(`Line ${lineNumber} has no reply: ${fatalErrorText(error)}\n`);
    return exitStatus.failed;
  }
}

/** Whether the client sends a line, skips it or ends at it. */
function lineKind(line: Uint8Array): "empty" | "quit" | "request" {
  let at = 0;
  while (at < line.length && (line[at] === 32 || line[at] === 9)) at++;
  if (at === line.length) return "empty";
  // Setting bit 5 makes a capital letter small.
  const isQuit = (line[at] | 32) === 113 && (line[at + 1] | 32) === 117 &&
    (line[at + 2] | 32) === 105 && (line[at + 3] | 32) === 116 &&
    (at + 4 === line.length || line[at + 4] === 32 || line[at + 4] === 9);
  return isQuit ? "quit" : "request";
}
