/**
 * The file from which a copy goes on. It names the copy that it belongs to, without passwords, and
 * is replaced as a whole, so that it is never half written. It holds some of the keys that were
 * refused, so only its owner can read it.
 *
 * @module
 */

import type { CopyState } from "./copy_entries.ts";
import type { Counts } from "./counts.ts";
import { CopyError } from "./ports.ts";

/** The number of this format. */
const format = 1;

/** Which copy a file belongs to. */
export interface CopyId {
  /** The source, as messages show it. */
  readonly from: string;
  /** The target, as messages show it. */
  readonly to: string;
  /** The glob that chooses the keys. */
  readonly match: string | undefined;
}

/** One resume file. */
export class ResumeFile {
  readonly #path: string;
  readonly #id: CopyId;

  constructor(path: string, id: CopyId) {
    this.#path = path;
    this.#id = id;
  }

  /**
   * Where the copy stopped; `undefined` where there is no file yet.
   *
   * @throws {CopyError} when the file cannot be read, or is that of another copy.
   */
  async load(): Promise<CopyState | undefined> {
    let text: string;
    try {
      text = await Deno.readTextFile(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new CopyError(`Cannot read ${this.#path}: ${(error as Error).message}`);
    }
    const content = parsed(text);
    if (content === undefined) {
      throw new CopyError(`${this.#path} is not a resume file: remove it, or name another file`);
    }
    for (const part of ["from", "to", "match"] as const) {
      if (content[part] !== this.#id[part]) {
        throw new CopyError(
          `${this.#path} belongs to another copy, --${part} ${content[part] ?? "of every key"}: ` +
            "remove it, or name another file",
        );
      }
    }
    return {
      sourceIdentity: content.sourceIdentity,
      targetIdentity: content.targetIdentity,
      cursor: content.cursor,
      counts: content.counts,
    };
  }

  /** Replaces the file. */
  async save(state: CopyState): Promise<void> {
    const content: Content = { format, ...this.#id, ...state };
    const next = `${this.#path}.tmp`;
    try {
      await Deno.writeTextFile(next, JSON.stringify(content) + "\n", { mode: 0o600 });
      await Deno.rename(next, this.#path);
    } catch (error) {
      throw new CopyError(`Cannot write ${this.#path}: ${(error as Error).message}`);
    }
  }

  /** Removes the file; it need not be there. */
  async remove(): Promise<void> {
    try {
      await Deno.remove(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw new CopyError(`Cannot remove ${this.#path}: ${(error as Error).message}`);
    }
  }
}

interface Content extends CopyId, CopyState {
  readonly format: number;
}

/** The content of a file; `undefined` where the text is something else. */
function parsed(text: string): Content | undefined {
  let content: Content;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isText = (value: unknown) => typeof value === "string";
  const isTextOrNone = (value: unknown) => value === undefined || isText(value);
  const isContent = typeof content === "object" && content !== null &&
    content.format === format && isText(content.from) && isText(content.to) &&
    isTextOrNone(content.match) &&
    isTextOrNone(content.sourceIdentity) && isTextOrNone(content.targetIdentity) &&
    isText(content.cursor) && /^\d+$/.test(content.cursor) && isCounts(content.counts);
  return isContent ? content : undefined;
}

function isCounts(counts: Counts): boolean {
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isTable = (value: unknown) => typeof value === "object" && value !== null;
  return isTable(counts) &&
    [counts.seen, counts.copied, counts.bytes, counts.gone, counts.present].every(isCount) &&
    isTable(counts.others) && Object.values(counts.others).every(isCount) &&
    isTable(counts.refused) &&
    Object.values(counts.refused).every(({ count, keys }) => isCount(count) && Array.isArray(keys));
}
