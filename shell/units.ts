/**
 * Formats numbers with units for people: sizes, durations, counts and percentages. Scripts get the
 * figures of the wire instead. The standard library's formats differ: its `bytes` shows 1,023 bytes
 * as `1020 B`, its `duration` writes `1h 2m` and always goes down to the smallest unit.
 *
 * @module
 */

const sizeUnits = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** At most three significant digits, without zeros at the end: `1.5`, `12`, `999`. */
function threeDigits(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

/** A size: `9 B`, `1.5 KiB`, `10 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // A value that would be shown as 1000 or more goes to the next unit.
  while (value >= 999.5 && unit < sizeUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${threeDigits(value)} ${sizeUnits[unit]}`;
}

/** A count with its thousands marked: `1,234,567`. Takes digits of any length. */
export function formatCount(count: number | string): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

const durationUnits: readonly (readonly [seconds: number, name: string])[] = [
  [365 * 86_400, "y"],
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

/**
 * A duration in seconds, in its two largest units: `12 ms`, `83.25 s`, `1 h 2 min`, `9 d 23 h`.
 * Below two minutes it is in seconds.
 */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${Number(seconds.toFixed(3))} s`;
  let rest = Math.floor(seconds);
  const parts: string[] = [];
  for (const [size, name] of durationUnits) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count} ${name}`);
    rest -= count * size;
    // "1 d 0 h 5 min" becomes "1 d": a third unit adds nothing.
    if (parts.length === 2 || (parts.length === 1 && count === 0)) return parts.join(" ");
  }
  if (parts.length < 2 && rest > 0) parts.push(`${rest} s`);
  return parts.join(" ");
}

/** A round trip in milliseconds: `0.08 ms`, `1.5 ms`, `120 ms`. */
export function formatMilliseconds(milliseconds: number): string {
  return `${threeDigits(milliseconds)} ms`;
}

/** A share of one: `98.2 %`; `-` when nothing was counted. */
export function formatPercent(part: number, whole: number): string {
  return whole > 0 ? `${(100 * part / whole).toFixed(1)} %` : "-";
}

const bars = "▁▂▃▄▅▆▇█";

/** A line of bars, each as high as its figure beside the highest; nothing for no figures. */
export function sparkline(figures: readonly number[]): string {
  const highest = Math.max(...figures, 0);
  return figures.map((figure) => {
    const height = highest > 0 ? Math.ceil(figure / highest * bars.length) : 0;
    return bars[Math.max(0, height - 1)];
  }).join("");
}
