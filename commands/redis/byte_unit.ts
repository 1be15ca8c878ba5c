/**
 * Sizes as Redis writes them for people, and as its settings read them.
 *
 * @module
 */

const unitNames = ["B", "K", "M", "G", "T", "P"];

/** A size with its unit: `512B`, `1.50M`. */
export function byteUnit(bytes: number): string {
  let unit = 0;
  let size = bytes;
  while (size >= 1024 && unit < unitNames.length - 1) {
    size /= 1024;
    unit++;
  }
  return (unit === 0 ? String(size) : size.toFixed(2)) + unitNames[unit];
}

const factors: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
};

/** The bytes of a size such as `100`, `10mb` or `1G`; undefined if it is none. */
export function bytesOfSize(text: string): number | undefined {
  const match = /^([0-9]+)([a-z]*)$/i.exec(text);
  const factor = match === null ? undefined : factors[match[2].toLowerCase()];
  return factor === undefined ? undefined : Number(match![1]) * factor;
}
