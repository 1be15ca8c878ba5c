/**
 * `blink-store serve`: from flags and environment to a running server, and from a signal to its
 * end. Standard output gets one line, once the server really listens; the log goes to standard
 * error.
 *
 * @module
 */

import { serve, type Server, type ServerOptions } from "../server.ts";
import { version } from "../version.ts";
import { showHelp } from "./help.ts";
import { serveCommand } from "./options.ts";
import { parse, type Values } from "./parse.ts";
import { readToken } from "./token.ts";
import { hostDefault, portDefault, showAddress, showBytes, UsageError } from "./values.ts";

/** How long requests already read may take to be answered once the server is told to stop. */
const shutdownGraceMs = 5000;

/**
 * How soon after the first a second signal is taken for its echo: a runner of tasks passes on the
 * Ctrl-C that the terminal has already sent to every process, and so does a supervisor's signal to
 * a whole group.
 */
const signalEchoMs = 100;

type ServeValues = Values<typeof serveCommand.options>;

/** Runs a server until it is told to stop; resolves with the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, words, help } = parse(serveCommand.options, args);
  if (help) return showHelp(serveCommand);
  if (words.length > 0) throw new UsageError(`unexpected word "${words[0]}"`);
  const token = await readToken(values["token-file"]);
  await using server = await serve({ ...optionsFrom(values), token, onEvent: log });
  const status = untilToldToStop(server);
  console.log(
    `Blink Store ${version} listens on ${server.addresses.map(showListener).join(" and ")}, ` +
      `memory limit ${showBytes(server.store.limitBytes)}`,
  );
  warnWhenOpen(server, token);
  return await status;
}

/** What the flags ask of the server; what they leave open is the server's to choose. */
function optionsFrom(values: ServeValues): ServerOptions {
  const idleTimeoutSeconds = values["idle-timeout"];
  const path = values.unix;
  if (path === undefined && values["unix-mode"] !== undefined) {
    throw new UsageError("the mode of a Unix socket is given, but no socket: add --unix PATH");
  }
  return {
    tcp: tcpFrom(values),
    unix: path === undefined ? [] : [{ path, mode: values["unix-mode"] }],
    memoryLimitBytes: values["memory-limit"],
    connectionsMax: values["max-connections"],
    lineBytesMax: values["max-line"],
    pendingBytesMax: values["max-pending"],
    idleTimeoutMs: idleTimeoutSeconds === undefined ? undefined : idleTimeoutSeconds * 1000,
  };
}

/** `--tcp` wins over the port alone; with neither, and no Unix socket, the default address. */
function tcpFrom({ tcp, port, unix }: ServeValues): ServerOptions["tcp"] {
  if (tcp.length > 0) return tcp;
  if (port === undefined && unix !== undefined) return [];
  return [{ hostname: hostDefault, port: port ?? portDefault }];
}

/**
 * Resolves with 0 once a first SIGINT or SIGTERM has ended the server in good order. A second one
 * that is not the first one's echo ends the process where it stands.
 */
async function untilToldToStop(server: Server): Promise<number> {
  const told = Promise.withResolvers<void>();
  let toldAt: number | undefined;
  const stop = (signal: Deno.Signal, number: number) => {
    if (toldAt !== undefined) {
      if (performance.now() - toldAt < signalEchoMs) return;
      server.abort();
      Deno.exit(128 + number);
    }
    toldAt = performance.now();
    log(`${signal}: stopping; once more stops at once`);
    told.resolve();
  };
  Deno.addSignalListener("SIGINT", () => stop("SIGINT", 2));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => stop("SIGTERM", 15));
  await told.promise;
  await server.shutdown(shutdownGraceMs);
  return 0;
}

function showListener(address: Deno.NetAddr | Deno.UnixAddr): string {
  return "path" in address ? address.path : showAddress(address);
}

function warnWhenOpen(server: Server, token: string | undefined): void {
  if (token !== undefined) return;
  const open = server.addresses.filter((address) =>
    !("path" in address) && !/^(127\.|::1$)/.test(address.hostname)
  );
  if (open.length === 0) return;
  log(
    `Warning: anyone who reaches ${open.map(showListener).join(" and ")} can read and change ` +
      "everything; ask for a token with --token-file PATH, or listen on 127.0.0.1",
  );
}

/** A line of the log: when, and what. */
function log(event: string): void {
  console.error(`${new Date().toISOString()} ${event}`);
}
