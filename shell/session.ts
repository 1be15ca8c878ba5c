/**
 * The interactive shell: a greeting, then a prompt, one command a line and its reply. The
 * connection may be lost at any time: the shell says so in one line, and the next command connects
 * again.
 *
 * @module
 */
import { coloursFor } from "./colours.ts";
import { complete, keyFinder } from "./complete.ts";
import { escapeText } from "./escape.ts";
import { formatReply, type ReplyStyle } from "./format.ts";
import { helpLines, suggestionFor } from "./help.ts";
import { hintFor } from "./hints.ts";
import { type History, historyLinesMax, historyPath, noHistory, openHistory } from "./history.ts";
import { LineEditor } from "./line_editor.ts";
import { type ClientOptions, exitStatus, type ShellIo, type ShellStore } from "./options.ts";
import { commandNamed } from "../commands/mod.ts";
import { requestTimeoutMs } from "./timing.ts";
import { closeStore, errorKind, recoverableErrorText } from "./errors.ts";

const prompt = "> ";

/** The shell's first lines, the same as of other clients of the protocol. */
export function greeting(address: string): string {
  return `Connected to ${address}\n` +
    "Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT\n\n";
}

/** Runs commands from the terminal until the user leaves; resolves with the exit status. */
export async function runSession(options: ClientOptions, io: ShellIo): Promise<number> {
  const store = await options.connect();
  const colours = coloursFor(io.output, io);
  const { history, remark } = openedHistory(io);
  await io.output.write(greeting(escapeText(options.address)));
  if (remark) await io.output.write(colours.dim(remark) + "\n");
  const findKeys = keyFinder(store);
  using editor = new LineEditor({
    io,
    prompt,
    history: history.lines,
    historyLinesMax,
    complete: (line) => complete(line, findKeys),
    hint: colours.on ? { of: hintFor, look: colours.dim } : undefined,
  });
  io.interrupted().addEventListener("abort", () => editor[Symbol.dispose](), { once: true });
  const style: ReplyStyle = {
    output: options.output ?? "text",
    terminal: true,
    colours,
    jsonValues: options.jsonValues ?? false,
  };
  try {
    await runCommands(store, editor, history, style);
    await editor.flushed();
  } finally {
    await closeStore(store);
  }
  return exitStatus.ok;
}

/** The history; where it cannot be opened, none and a line that says why. */
function openedHistory(io: ShellIo): { history: History; remark?: string } {
  const path = historyPath(io.env);
  if (path === undefined) return { history: noHistory };
  try {
    return { history: openHistory(path) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      history: noHistory,
      remark: escapeText(`The history is not kept: cannot open ${path}: ${reason}`),
    };
  }
}

async function runCommands(
  store: ShellStore,
  editor: LineEditor,
  history: History,
  style: ReplyStyle,
) {
  while (true) {
    const line = await editor.nextLine();
    if (line === undefined) {
      // The next prompt of the surrounding shell starts on a line of its own.
      editor.print("\n");
      return;
    }
    const words = line.trim().split(/[ \t]+/);
    if (words[0] === "") continue;
    remember(history, line);
    const verb = words[0].toUpperCase();
    if (verb === "QUIT") return;
    if (verb === "HELP") {
      editor.print(helpLines(words[1], style.colours).join("\n") + "\n");
    } else {
      await runLine(store, line, words, editor, style);
    }
  }
}

/** Adds a line to the history. An error, such as a full disk, must not end the session. */
function remember(history: History, line: string) {
  try {
    history.add(line);
  } catch {
    // The line stays in this session's memory.
  }
}

async function runLine(
  store: ShellStore,
  line: string,
  words: readonly string[],
  editor: LineEditor,
  style: ReplyStyle,
) {
  try {
    const reply = await requested(store, line, words, editor.closed);
    editor.print(formatReply(reply, style));
    const advice = adviceOn(reply, words[0]);
    if (advice) editor.print(style.colours.dim(advice) + "\n");
  } catch (error) {
    if (editor.closed.aborted) return;
    editor.print(style.colours.red(recoverableErrorText(error)) + "\n");
  }
}

/** The reply to a line. After AUTH the client also logs in again whenever it reconnects. */
async function requested(
  store: ShellStore,
  line: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const options = { signal, timeoutMs: requestTimeoutMs };
  if (words[0].toUpperCase() !== "AUTH" || words.length !== 2 || !store.auth) {
    return await store.request(line, options);
  }
  try {
    await store.auth(words[1], options);
    return "OK";
  } catch (error) {
    const kind = errorKind(error);
    if (kind !== "auth" && kind !== "reply") throw error;
    return `ERROR ${(error as Error).message}`;
  }
}

/** Advice on an error, where the error itself does not say what to do. */
function adviceOn(reply: string, verb: string): string | undefined {
  if (reply === "ERROR authentication required") return "AUTH <token> logs in.";
  if (!reply.startsWith("ERROR") || commandNamed(verb)) return undefined;
  const suggestion = suggestionFor(verb);
  return suggestion ? `Did you mean ${suggestion}?` : "help lists the commands.";
}
