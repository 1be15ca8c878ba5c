/**
 * How a server was started, gathered for the clients that ask for it.
 *
 * @module
 */

import type { ProcessorTime, Settings } from "../commands/mod.ts";
import type { Limits } from "./context.ts";

/** Bytes of the random number that names one run of a server. */
const runIdBytes = 20;

const systemNames: Readonly<Record<string, string>> = {
  linux: "Linux",
  darwin: "Darwin",
  windows: "Windows",
};

/** The settings of a server that listens on these addresses; each call chooses a new `runId`. */
export function settingsOf(
  addresses: readonly (Deno.NetAddr | Deno.UnixAddr)[],
  limits: Limits,
  { evicts, sync }: Pick<Settings, "evicts" | "sync">,
): Settings {
  const tcp = addresses.filter((address) => "port" in address);
  const { os, arch } = Deno.build;
  const random = crypto.getRandomValues(new Uint8Array(runIdBytes));
  return {
    runId: Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    processId: Deno.pid,
    os: `${systemNames[os] ?? os} ${arch}`,
    port: tcp.at(0)?.port ?? 0,
    bind: tcp.map(({ hostname }) => hostname).join(" "),
    connectionsMax: limits.connectionsMax,
    idleTimeoutMs: limits.idleTimeoutMs,
    lineBytesMax: limits.lineBytesMax,
    evicts,
    sync,
  };
}

/** The part of Node's `process` that is needed; the runtime loads it when it is first used. */
interface NodeProcess {
  cpuUsage(): ProcessorTime;
}

/** The processor time of this process, in microseconds; zeros where the runtime has none. */
export function processorTime(): ProcessorTime {
  const { process } = globalThis as unknown as { process?: NodeProcess };
  return process?.cpuUsage() ?? { user: 0, system: 0 };
}
