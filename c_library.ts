/**
 * Opens the C library of Linux by FFI: glibc or musl, on x64 or arm64.
 *
 * @module
 */

/** The C library's names: glibc's, then musl's. */
const names = [
  "libc.so.6",
  `libc.musl-${Deno.build.arch}.so.1`,
  `/lib/ld-musl-${Deno.build.arch}.so.1`,
];

/**
 * The functions of the C library that `symbols` declares; undefined where there is no such library,
 * or no permission to call it. The runtime keeps the library open, whoever closes it.
 */
export function openCLibrary<const Symbols extends Deno.ForeignLibraryInterface>(
  symbols: Symbols,
): Deno.DynamicLibrary<Symbols>["symbols"] | undefined {
  if (Deno.build.os !== "linux" || !isFfiAllowed()) return undefined;
  for (const name of names) {
    try {
      return Deno.dlopen(name, symbols).symbols;
    } catch {
      // Another C library, or a runtime without FFI.
    }
  }
  return undefined;
}

/** Whether FFI is allowed; nobody is asked for it. */
export function isFfiAllowed(): boolean {
  try {
    return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
  } catch {
    return false;
  }
}
