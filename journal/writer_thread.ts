/**
 * What the Worker of the data file runs: it reads the file for the server, and then is the writer.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import { openCLibrary } from "../c_library.ts";
import { ChangeRing } from "./change_ring.ts";
import { Database } from "./database.ts";
import { JournalState, phases, threadsMax } from "./journal_state.ts";
import { ChunkReader } from "./loader.ts";
import { Writer, type WriterHost } from "./writer.ts";
import type { WriterOrder, WriterReport, WriterStart } from "./writer_messages.ts";

/** The Worker's side of the messages. */
interface WorkerScope {
  onmessage: ((message: MessageEvent<WriterOrder>) => void) | null;
  postMessage(report: WriterReport, transferred?: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;

/** Values that have arrived, and those that are waited for. */
const values = new Map<number, Uint8Array>();
const wanted = new Map<number, (value: Uint8Array) => void>();

/** Chunks that are read and not taken yet, at most, and how long one waits for the server. */
const chunksAhead = 4;
const chunkWaitMs = 1;

const symbols = {
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
} as const;

/** Wakes the threads of the server that wait. */
function wakerOf(state: JournalState, wakeFds: readonly number[]): () => void {
  const library = wakeFds.length === 0 ? undefined : openCLibrary(symbols);
  const one = new Uint8Array(new ArrayBuffer(8));
  one[0] = 1;
  return () => {
    for (let thread = 0; thread < Math.max(1, wakeFds.length); thread++) {
      if (!state.takeWaiting(thread)) continue;
      if (library === undefined) scope.postMessage({ kind: "advanced" });
      else library.write(wakeFds[thread], one, 8);
    }
  };
}

async function write({ file, sync, state: buffer, wakeFds }: WriterStart): Promise<void> {
  const state = new JournalState(buffer);
  const host: WriterHost = {
    value: (number) => {
      const value = values.get(number);
      values.delete(number);
      if (value !== undefined) return Promise.resolve(value);
      return new Promise((resolve) => wanted.set(number, resolve));
    },
    wake: wakerOf(state, wakeFds),
    undo: (part) => scope.postMessage({ kind: "undo", part }),
    report: (event) => scope.postMessage({ kind: "event", event }),
  };
  try {
    const database = Database.open(file, "write");
    const writer = new Writer(database, state, new ChangeRing(state), sync, host);
    scope.postMessage({ kind: "ready" });
    await read(file, state, writer);
    await writer.run();
    scope.postMessage({ kind: "ended" });
  } catch (error) {
    state.phase = phases.broken;
    for (let thread = 0; thread < threadsMax; thread++) state.wait(thread);
    scope.postMessage({
      kind: "failed",
      reason: error instanceof Error ? error.message : String(error),
    });
    host.wake();
  }
}

/** Reads the file, a few chunks ahead of the server, which takes them at the same time. */
async function read(file: string, state: JournalState, writer: Writer): Promise<void> {
  const database = Database.open(file, "read");
  try {
    const reader = new ChunkReader(database);
    for (let chunk = reader.next(); chunk !== undefined; chunk = reader.next()) {
      state.addChunks(1);
      scope.postMessage({ kind: "chunk", chunk }, [chunk.bytes.buffer]);
      while (state.chunks >= chunksAhead && !state.isClosing) {
        // What the store evicts for others leaves the file.
        if (await writer.turn() === 0) state.sleep(chunkWaitMs);
      }
      if (state.isClosing) return;
    }
    scope.postMessage({ kind: "read" });
  } finally {
    database.close();
  }
}

scope.onmessage = ({ data }) => {
  if (data.kind === "start") {
    void write(data);
    return;
  }
  const resolve = wanted.get(data.number);
  wanted.delete(data.number);
  if (resolve !== undefined) resolve(data.value);
  else values.set(data.number, data.value);
};
