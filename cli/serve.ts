/**
 * `blink-store serve`: starts a server from flags and environment, and stops it at a signal.
 * Standard output gets one line, once the server listens; the log goes to standard error. Neither
 * has to be writable: the server goes on without them.
 *
 * @module
 */

import { hostDefault } from "../protocol.ts";
import { serve, type Server, type ServerOptions } from "../server.ts";
import { version } from "../version.ts";
import { showHelp } from "./help.ts";
import { LineWriter } from "./log.ts";
import { serveCommand } from "./options/serve.ts";
import { parse, type Values } from "./parse.ts";
import { ProgressLine } from "./progress_line.ts";
import { SignalClassifier, stopSignals } from "./stop_signals.ts";
import { readToken, tokenWarnings } from "./token.ts";
import { UsageError } from "./usage_error.ts";
import { showAddress, showBytes } from "./values.ts";

/** How long the end of the process waits for the last lines of the log, in milliseconds. */
const logFlushMs = 500;

type ServeValues = Values<typeof serveCommand.options>;

/** Runs a server until a signal stops it; resolves with the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, words, help } = parse(serveCommand.options, args);
  if (help) return showHelp(serveCommand);
  if (words.length > 0) throw new UsageError(`unexpected word "${words[0]}"`);
  const tokenFile = values["token-file"];
  const token = await readToken(tokenFile);
  const output = new LineWriter(Deno.stdout);
  const log = new LineWriter(Deno.stderr, { prefix: () => `${new Date().toISOString()} ` });
  const loading = new ProgressLine({ quietMs: 1_000, drawMs: 200 });
  await using server = await serve({
    ...optionsFrom(values),
    token,
    onEvent: (event) => {
      loading.clear();
      log.line(event);
    },
    onLoading: (read, total) => loading.show(() => showLoading(read, total)),
  }).finally(() => loading.clear());
  const stopped = untilStopped(server, log);
  output.line(
    `Blink Store ${version} listens on ${server.addresses.map(showListener).join(" and ")}, ` +
      `memory limit ${showBytes(server.store.limitBytes)}, ${showLoop(server)}${
        showDataFile(server, values.data)
      }`,
  );
  for (const warning of await tokenWarnings(tokenFile, token)) log.line(warning);
  if (token === undefined) warnWhenOpen(server, log);
  // A server whose invariants are broken ends by itself, and has said so in the log.
  await Promise.race([stopped, server.finished]);
  await log.flushed(logFlushMs);
  return server.failure === undefined ? 0 : 1;
}

/** The server's options; what the flags leave open has the server's default. */
function optionsFrom(values: ServeValues): ServerOptions {
  const idleTimeoutSeconds = values["idle-timeout"];
  const path = values.unix;
  if (path === undefined && values["unix-mode"] !== undefined) {
    throw new UsageError("the mode of a Unix socket is given, but no socket: add --unix PATH");
  }
  if (values.data === undefined && values.sync !== undefined) {
    throw new UsageError("a sync mode is given, but no data file: add --data FILE");
  }
  return {
    tcp: tcpFrom(values),
    unix: path === undefined ? [] : [{ path, mode: values["unix-mode"] }],
    memoryLimitBytes: values["memory-limit"],
    evicts: values.eviction,
    connectionsMax: values["max-connections"],
    lineBytesMax: values["max-line"],
    pendingBytesMax: values["max-pending"],
    idleTimeoutMs: idleTimeoutSeconds === undefined ? undefined : idleTimeoutSeconds * 1000,
    io: values.io,
    threads: values.threads,
    dataFile: values.data,
    sync: values.sync,
    ownsThread: true,
  };
}

/** `--tcp` overrides `--port`; with neither, the server chooses. */
function tcpFrom({ tcp, port }: ServeValues): ServerOptions["tcp"] {
  if (tcp.length > 0) return tcp;
  return port === undefined ? undefined : [{ hostname: hostDefault, port }];
}

/**
 * Resolves once a first signal has stopped the server gracefully. A second one that is not the
 * first one's echo ends the process at once.
 */
async function untilStopped(server: Server, log: LineWriter): Promise<void> {
  const stopping = Promise.withResolvers<void>();
  const signals = new SignalClassifier();
  for (const [signal, number] of stopSignals) {
    Deno.addSignalListener(signal, () => {
      switch (signals.next()) {
        case "stop":
          log.line(`${signal}: stopping; once more stops at once`);
          return stopping.resolve();
        case "echo":
          return;
        case "end":
          server.abort();
          Deno.exit(128 + number);
      }
    });
  }
  await stopping.promise;
  await server.shutdown();
}

function showLoading(read: number, total: number): string {
  const percent = Math.floor(100 * Math.min(read / Math.max(total, 1), 1));
  return `Loading the data file: ${percent} % of ${total} entries`;
}

function showDataFile({ loadedEntries }: Server, file: string | undefined): string {
  if (loadedEntries === undefined || file === undefined) return "";
  return `, data file ${file} with ${loadedEntries === 1 ? "1 entry" : `${loadedEntries} entries`}`;
}

function showLoop({ io, threads }: Server): string {
  return `${io} event loop${threads > 1 ? `, ${threads} threads` : ""}`;
}

function showListener(address: Deno.NetAddr | Deno.UnixAddr): string {
  return "path" in address ? address.path : showAddress(address);
}

function warnWhenOpen(server: Server, log: LineWriter): void {
  const open = server.addresses.filter((address) =>
    !("path" in address) && !/^(127\.|::1$)/.test(address.hostname)
  );
  if (open.length === 0) return;
  log.line(
    `Warning: anyone who reaches ${open.map(showListener).join(" and ")} can read and change ` +
      `everything; ask for a token with --token-file PATH, or listen on ${hostDefault}`,
  );
}
