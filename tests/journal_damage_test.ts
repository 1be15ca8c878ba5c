/**
 * A damaged data file: it is refused, or what it holds is right. Never is a value wrong.
 *
 * @module
 */

import { Changes } from "../journal/changes.ts";
import { Database } from "../journal/database.ts";
import { DataFileError } from "../journal/data_file_error.ts";
import { loadFile } from "../journal/file_commands.ts";
import { lineOf } from "../journal/json_lines.ts";
import { ChunkReader, takeChunk, type TakeEntry } from "../journal/loader.ts";
import { Overlay } from "../journal/overlay.ts";
import { Random } from "../loadgen/mod.ts";
import { assert, assertEquals } from "./assert.ts";

const encoder = new TextEncoder();

/** How many bits are flipped, one at a time. */
const flips = Number(Deno.env.get("BLINK_FLIPS") ?? 1_500);

async function* entries(random: Random) {
  for (let n = 0; n < 400; n++) {
    const bytes = n % 50 === 0 ? 10_000 : random.next() % 200;
    const value = Uint8Array.from({ length: bytes }, () => random.next());
    const expiresAt = n % 3 === 0 ? 4_000_000_000_000 + n : 0;
    yield { key: encoder.encode(`key:${random.next() % 100_000}:${n}`), value, expiresAt };
  }
}

/** What a start of the server reads from a file; an Error where it refuses to. */
function load(file: string): string | Error {
  let database: Database | undefined;
  try {
    database = Database.open(file, "create");
    const [fault] = database.faults(false);
    if (fault !== undefined) throw new DataFileError(fault);
    const lines: string[] = [];
    const reader = new ChunkReader(database);
    const take: TakeEntry = (key, a, b, value, c, d, expiresAt) => {
      lines.push(`${key.subarray(a, b)} ${value.subarray(c, d)} ${expiresAt}`);
    };
    for (let chunk = reader.next(); chunk !== undefined; chunk = reader.next()) {
      takeChunk(database, chunk, take);
    }
    return lines.join("\n");
  } catch (error) {
    return error as Error;
  } finally {
    database?.close();
  }
}

/** What `data dump` reads from a file; an Error where it ends with one. */
function dump(file: string): string | Error {
  let database: Database | undefined;
  try {
    database = Database.open(file, "read");
    database.beginRead();
    const journal = Array.from(database.journal(), (bytes) => new Changes(bytes));
    return Array.from(new Overlay(database, journal).entries(), lineOf).join("\n");
  } catch (error) {
    return error as Error;
  } finally {
    database?.close();
  }
}

async function withFile(work: (file: string, bytes: Uint8Array) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "blink-damage-" });
  try {
    const file = `${folder}/store.db`;
    await loadFile(file, entries(new Random(1)));
    work(file, await Deno.readFile(file));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function write(file: string, bytes: Uint8Array): void {
  for (const rest of ["-wal", "-shm"]) {
    try {
      Deno.removeSync(file + rest);
    } catch {
      // It is not there.
    }
  }
  Deno.writeFileSync(file, bytes);
}

Deno.test("a data file that is cut at any page is refused", async () => {
  await withFile((file, bytes) => {
    const whole = load(file);
    assert(typeof whole === "string" && whole.split("\n").length === 400, String(whole));
    for (let end = 4096; end < bytes.length; end += 4096) {
      write(file, bytes.subarray(0, end));
      const loaded = load(file);
      assert(loaded instanceof Error, `cut at ${end} of ${bytes.length} bytes`);
    }
  });
});

Deno.test("a flipped bit in a data file is an error, or changes nothing", async () => {
  await withFile((file, bytes) => {
    const whole = load(file);
    const dumped = dump(file);
    const random = new Random(2);
    let refused = 0;
    for (let n = 0; n < flips; n++) {
      const damaged = bytes.slice();
      const bit = random.next() % (bytes.length * 8);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      write(file, damaged);
      const loaded = load(file);
      if (loaded instanceof Error) refused++;
      else assertEquals(loaded === whole, true, `bit ${bit & 7} of byte ${bit >> 3} is flipped`);
      const lines = dump(file);
      assert(lines instanceof Error || lines === dumped, `the dump after bit ${bit}`);
    }
    assert(refused > flips / 3, `${refused} of ${flips} were refused`);
  });
});
