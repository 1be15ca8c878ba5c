/**
 * The writer of the data file: it takes changes from the ring, commits what has gathered, and says
 * up to where. It runs in a thread of its own (`writer_thread.ts`), so that nobody else waits for
 * the disk.
 *
 * A commit of a few changes brings them to the table of entries at once. With more, they are
 * appended to the journal as one row, and brought to the table together with many others
 * (`backlog.ts`).
 *
 * When a commit fails, what it was to keep is undone: no request runs, everything that waits in the
 * ring counts as failed, too, and the keys of these changes get their committed values back. Then
 * requests that change something are refused until a commit succeeds again.
 *
 * @module
 */

import { Backlog, type RunLimits } from "./backlog.ts";
import type { ChangeRing } from "./change_ring.ts";
import {
  type BufferedValues,
  ChangeSource,
  type SourceHost,
  takenBytesMax,
} from "./change_source.ts";
import { apply, type Changes } from "./changes.ts";
import { reasonOf } from "./data_file_error.ts";
import type { Database } from "./database.ts";
import { type JournalState, phases } from "./journal_state.ts";
import { Overlay } from "./overlay.ts";
import type { SyncMode } from "./sync_mode.ts";
import { Undoing, type UndoPart } from "./undoing.ts";

/** Up to so many changes are brought to the table at once. */
const directChangesMax = 4;

/**
 * Keys that are brought from the journal to the table at a time: at least by a commit where the run
 * is behind, between two commits, and when it is quiet.
 */
const stepMin = 256;
const idleStep = 128;
const quietStep = 2_000;

/** The journal is brought to the table, too, once nothing has changed for so long. */
const quietMs = 20;

/** How long changes are gathered for a commit that nobody waits for, in milliseconds. */
const gatherMs = 5;

/** Evictions wait for another commit until they have so many bytes. */
const heldBytesMax = 1024 * 1024;

/** How often changes reach the disk with `--sync interval`, in milliseconds. */
const syncIntervalMs = 1_000;

/** How often maintenance looks for what is due, and a failing file is tried again. */
const maintenanceMs = 1_000;

/** Expired entries that one transaction removes. */
const expiredMax = 1_000;

/** Entries expire in the file later than in the store, whose changes may be on their way. */
const expiryDelayMs = 1_000;

/** What the writer asks of its thread. */
export interface WriterHost extends SourceHost {
  /** Gives entries back to the store; `JournalState.addUndone` follows. */
  undo(part: UndoPart): void;
  /** Tells the operator. */
  report(event: string): void;
}

/** What a commit has done. */
interface Commit {
  readonly list: readonly Changes[];
  /** Whether it brought all changes to the table, those in the journal included. */
  readonly isDirect: boolean;
  /** The row of the journal, and how far the run has come if it was advanced. */
  readonly row: number;
  readonly done: number | undefined;
}

/** Writes changes to the data file. */
export class Writer {
  readonly #database: Database;
  readonly #state: JournalState;
  readonly #source: ChangeSource;
  readonly #sync: SyncMode;
  readonly #host: WriterHost;
  /** Changes that are in the journal, and not in the table yet. */
  readonly #backlog: Backlog;
  /** Evictions that wait for another commit. */
  #held: Changes[] = [];
  #heldBytes = 0;
  /** Whether something is committed that may not have reached the disk. */
  #isUnsynced = false;
  #syncedAtMs = performance.now();
  #maintainedAtMs = performance.now();
  #isFailing = false;
  /** Maintenance has failed: it is tried again later. */
  #isMaintenanceFailing = false;
  /** `Date.now() - performance.now()` at the start. */
  readonly #clockOffsetMs = Date.now() - performance.now();

  constructor(
    database: Database,
    state: JournalState,
    ring: ChangeRing,
    sync: SyncMode,
    host: WriterHost,
    limits?: RunLimits,
  ) {
    this.#database = database;
    this.#backlog = new Backlog(database, limits);
    this.#state = state;
    this.#source = new ChangeSource(ring, state, host);
    this.#sync = sync;
    this.#host = host;
    database.waitsForDisk = sync === "always";
  }

  /** Keeps changes until it is told to end and everything is kept. */
  async run(): Promise<void> {
    const state = this.#state;
    let hasRested = false;
    for (;;) {
      const isDue = state.takeSubmitted() || hasRested;
      hasRested = false;
      const bytes = isDue ? await this.turn() : 0;
      if (bytes > 0) {
        // There may be more than was taken at once.
        if (bytes >= takenBytesMax) hasRested = true;
        else if (this.#sync !== "always" && !this.#source.isQuarterFull) state.pause(gatherMs);
      } else if (state.isClosing) {
        break;
      } else if (!this.maintain()) {
        state.sleep(this.#restMs);
        // Whatever was recorded and not submitted has waited long enough.
        hasRested = true;
      }
    }
    this.#end();
  }

  /** Keeps what is in the ring, or undoes it; returns how many bytes of changes that were. */
  async turn(): Promise<number> {
    const changes = await this.#source.take();
    if (changes !== undefined) await this.#keep(changes);
    return changes?.bytes.length ?? 0;
  }

  /** Commits changes, or undoes them. */
  async #keep(changes: Changes): Promise<void> {
    const state = this.#state;
    const values = await this.#source.values(changes);
    const position = state.taken;
    let commit: Commit | undefined;
    if (changes.kept === 0 && this.#heldBytes + changes.bytes.length < heldBytesMax) {
      this.#hold(changes);
    } else {
      try {
        commit = this.#commit(changes, values);
      } catch (error) {
        await this.#undo(error, changes);
        return this.#source.forget(values);
      }
    }
    this.#source.forget(values);
    state.addUndecided(-changes.kept);
    state.committed = position;
    this.#host.wake();
    // What is left to be noted can be done while others go on.
    if (commit !== undefined) this.#note(commit);
  }

  #hold(changes: Changes): void {
    this.#held.push(changes);
    this.#heldBytes += changes.bytes.length;
  }

  #commit(changes: Changes, values: BufferedValues): Commit {
    const startMs = performance.now();
    const backlog = this.#backlog;
    const list = [...this.#held, changes];
    if (backlog.isDue) backlog.begin();
    const isDirect = backlog.isEmpty && changes.kept <= directChangesMax ||
      changes.buffers.length > 0 || !backlog.hasRoomFor(list);
    const isSynced = this.#sync === "always" || this.#isSyncDue;
    if (this.#sync === "interval") this.#database.waitsForDisk = isSynced;
    let row = 0;
    let done: number | undefined;
    this.#database.transact(() => {
      if (isDirect) {
        backlog.applyAll();
        apply(this.#database, list, (number) => values.get(number)!);
      } else {
        row = backlog.append(list);
        const { behind } = backlog;
        if (behind > 0) done = backlog.advance(Math.max(stepMin, behind));
      }
    });
    if (isSynced) this.#synced();
    else this.#isUnsynced = true;
    this.#succeeded(performance.now() - startMs);
    return { list, isDirect, row, done };
  }

  /** Notes what a commit has done. */
  #note({ list, isDirect, row, done }: Commit): void {
    const backlog = this.#backlog;
    this.#held = [];
    this.#heldBytes = 0;
    if (isDirect) return backlog.cleared();
    backlog.appended(list, row);
    if (done !== undefined) backlog.advanced(done);
  }

  #succeeded(ms: number): void {
    const state = this.#state;
    state.show("commits", state.figure("commits") + 1);
    state.show("lastCommitAtMs", Date.now());
    state.show("lastCommitMs", ms);
    if (!this.#isFailing) return;
    this.#isFailing = false;
    state.phase = phases.keeping;
    this.#host.report("The data file can be written again: changes are kept");
    this.#host.wake();
  }

  get #isSyncDue(): boolean {
    return this.#sync === "interval" && performance.now() - this.#syncedAtMs >= syncIntervalMs;
  }

  #synced(): void {
    this.#isUnsynced = false;
    this.#syncedAtMs = performance.now();
  }

  /** How long the writer may sleep. */
  get #restMs(): number {
    if (this.#isUnsynced && this.#sync === "interval") {
      return Math.max(1, this.#syncedAtMs + syncIntervalMs - performance.now());
    }
    return this.#backlog.isEmpty ? maintenanceMs : quietMs;
  }

  /** Does a bounded share of what is due while nothing waits; true if there is more. */
  maintain(): boolean {
    try {
      if (this.#isUnsynced && this.#isSyncDue) {
        this.#database.waitsForDisk = true;
        this.#database.touch();
        this.#synced();
      }
      const nowMs = performance.now();
      const isDue = nowMs - this.#maintainedAtMs >= maintenanceMs;
      if (this.#isFailing) {
        if (!isDue) return false;
        this.#maintainedAtMs = nowMs;
        return this.#tryAgain();
      }
      if (this.#isMaintenanceFailing && !isDue) return false;
      this.#database.waitsForDisk = false;
      const hasWorked = this.#applyJournal() || isDue && this.#removeExpired();
      this.#isMaintenanceFailing = false;
      if (!hasWorked && isDue) this.#maintainedAtMs = nowMs;
      return hasWorked;
    } catch (error) {
      this.#maintainedAtMs = performance.now();
      this.#countError();
      if (!this.#isMaintenanceFailing) {
        this.#host.report(`The data file cannot be tidied: ${reasonOf(error)}`);
      }
      this.#isMaintenanceFailing = true;
      return false;
    } finally {
      this.#database.waitsForDisk = this.#sync === "always";
    }
  }

  /**
   * Brings a part of the journal to the table: a run goes on whenever nothing else is to be done,
   * and what there is is brought once nothing has changed for a while. True if there is more. All of
   * it is kept already, so nobody waits for the disk.
   */
  #applyJournal(): boolean {
    const backlog = this.#backlog;
    if (backlog.isEmpty && this.#heldBytes === 0) return false;
    const isClosing = this.#state.isClosing;
    const isQuiet = isClosing || performance.now() - this.#source.takenAtMs >= quietMs;
    if (!isQuiet && !backlog.isRunning) return false;
    const isWhole = isClosing || backlog.isEmpty;
    if (!isWhole && !backlog.isRunning) backlog.begin();
    let done = 0;
    this.#database.transact(() => {
      if (isWhole) {
        backlog.applyAll();
        apply(this.#database, this.#held);
      } else {
        done = backlog.advance(isQuiet ? quietStep : idleStep);
      }
    });
    if (isWhole) {
      backlog.cleared();
      this.#held = [];
      this.#heldBytes = 0;
    } else {
      backlog.advanced(done);
    }
    this.#isUnsynced = true;
    return true;
  }

  /** Removes some expired entries; true if there may be more. */
  #removeExpired(): boolean {
    const timeMs = Math.min(Date.now(), performance.now() + this.#clockOffsetMs) - expiryDelayMs;
    if (!this.#database.hasExpired(timeMs)) return false;
    let removed = 0;
    this.#database.transact(() => {
      removed = this.#database.removeExpired(timeMs, expiredMax);
    });
    this.#isUnsynced = true;
    return removed === expiredMax;
  }

  /** Tries whether the file can be written again. */
  #tryAgain(): boolean {
    try {
      this.#database.waitsForDisk = true;
      this.#database.tryWriting();
      this.#succeeded(0);
      return true;
    } catch {
      this.#countError();
      return false;
    }
  }

  #countError(): void {
    this.#state.show("errors", this.#state.figure("errors") + 1);
  }

  /** Undoes changes that could not be committed, and all that came after them. */
  async #undo(error: unknown, changes: Changes): Promise<void> {
    const state = this.#state;
    this.#countError();
    const from = state.committed;
    state.phase = phases.undoing;
    const reason = reasonOf(error);
    if (!this.#isFailing) {
      this.#host.report(
        `Cannot write the data file ${this.#database.file}: ${reason}. Changes are refused, and ` +
          "those that were not kept are undone, until it can be written again",
      );
    }
    this.#isFailing = true;
    this.#maintainedAtMs = performance.now();
    const failed = [changes, ...await this.#source.standStill()];
    const to = state.taken;
    // Evictions that are held count as committed: nothing brings these entries back.
    const committed = [...this.#backlog.changes, ...this.#held];
    const undoing = new Undoing(new Overlay(this.#database, committed), failed);
    for (const part of undoing.parts()) await this.#undoPart(part);
    // What was evicted is to leave the file, too, but for what is back.
    const evicted = undoing.evictions();
    if (evicted !== undefined) this.#hold(evicted);
    state.addUndecided(-failed.reduce((sum, { kept }) => sum + kept, 0));
    state.failed(from, to);
    state.committed = state.taken;
    state.phase = phases.refusing;
    this.#host.wake();
  }

  /** Gives entries back; evictions that this takes are held. */
  async #undoPart(part: UndoPart): Promise<void> {
    const { undone } = this.#state;
    this.#host.undo(part);
    while (this.#state.undone === undone) {
      const evicted = await this.#source.take();
      if (evicted !== undefined) this.#hold(evicted);
      else this.#state.awaitUndone(undone, 5);
    }
  }

  /** Leaves the file tidy. */
  #end(): void {
    try {
      this.#applyJournal();
      this.#database.checkpoint();
    } catch (error) {
      this.#host.report(`The data file cannot be tidied: ${reasonOf(error)}`);
    }
    this.#database.close();
  }
}
