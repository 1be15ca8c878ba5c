/**
 * The list of subcommands with their summaries. Each table of flags is loaded only on demand, since
 * it loads the room that its defaults come from.
 *
 * @module
 */

import type { Subcommand } from "./option.ts";

/** A subcommand as the overview shows it. */
export interface Summary {
  /** Its name. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Loads its table of flags. */
  readonly load: () => Promise<Subcommand>;
}

/** Every subcommand, in the order of the help. */
export const subcommands: readonly Summary[] = [
  {
    name: "serve",
    summary: "start a server",
    load: async () => (await import("./options/serve.ts")).serveCommand,
  },
  {
    name: "client",
    summary: "talk to a server: a shell, one command, or commands piped in",
    load: async () => (await import("./options/client.ts")).clientCommand,
  },
  {
    name: "run",
    summary: "the client's shell on a store of its own, without a server",
    load: async () => (await import("./options/run.ts")).runCommand,
  },
  {
    name: "bench",
    summary: "measure a server: throughput and latency under a load",
    load: async () => (await import("./options/bench.ts")).benchCommand,
  },
  {
    name: "copy",
    summary: "copy one store to another: Redis, Valkey or Blink Store",
    load: async () => (await import("./options/copy.ts")).copyCommand,
  },
  {
    name: "data",
    summary: "verify a data file, dump its entries as JSON, load them",
    load: async () => (await import("./options/data.ts")).dataCommand,
  },
  {
    name: "completions",
    summary: "print the completions of a shell: bash, zsh or fish",
    load: async () => (await import("./options/completions.ts")).completionsCommand,
  },
];

/** What a subcommand does, in one line. */
export function summaryOf(name: string): string {
  return subcommands.find((subcommand) => subcommand.name === name)?.summary ?? "";
}
