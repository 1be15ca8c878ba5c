/**
 * The systems that a release is made for, and how their executables differ in their first
 * bytes.
 *
 * @module
 */

/** A system and processor, as an executable's header names them. */
export type ExecutableType =
  | "ELF x64"
  | "ELF arm64"
  | "Mach-O x64"
  | "Mach-O arm64"
  | "PE x64";

/** A system that a release is made for. */
export interface Target {
  /** As `deno compile --target` names it. */
  readonly triple: string;
  /** The end of the file's name. */
  readonly name: string;
  /** The type of the file. */
  readonly type: ExecutableType;
}

/** Every system that a release is made for. */
export const targets: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", name: "linux-x64", type: "ELF x64" },
  { triple: "aarch64-unknown-linux-gnu", name: "linux-arm64", type: "ELF arm64" },
  { triple: "x86_64-apple-darwin", name: "macos-x64", type: "Mach-O x64" },
  { triple: "aarch64-apple-darwin", name: "macos-arm64", type: "Mach-O arm64" },
  { triple: "x86_64-pc-windows-msvc", name: "windows-x64.exe", type: "PE x64" },
];

/** Where a PE file holds the offset of its header. */
const peOffsetAt = 0x3c;

/** The type of an executable, from its bytes; `undefined` for any other file. */
export function executableType(file: Uint8Array): ExecutableType | undefined {
  const has = (at: number, ...bytes: number[]) => bytes.every((byte, i) => file[at + i] === byte);
  if (has(0, 0x7f, 0x45, 0x4c, 0x46, 2, 1)) {
    if (has(18, 0x3e, 0)) return "ELF x64";
    if (has(18, 0xb7, 0)) return "ELF arm64";
  }
  if (has(0, 0xcf, 0xfa, 0xed, 0xfe)) {
    if (has(4, 7, 0, 0, 1)) return "Mach-O x64";
    if (has(4, 12, 0, 0, 1)) return "Mach-O arm64";
  }
  if (has(0, 0x4d, 0x5a) && file.length >= peOffsetAt + 4) {
    const header = new DataView(file.buffer, file.byteOffset).getUint32(peOffsetAt, true);
    if (has(header, 0x50, 0x45, 0, 0, 0x64, 0x86)) return "PE x64";
  }
  return undefined;
}
