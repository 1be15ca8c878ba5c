/**
 * The arithmetic of INCRBYFLOAT: numbers with a significand of 64 bits and an exponent of 15, as
 * the
 * `long double` of x86 processors. Redis reads, adds and prints with them, and here every step
 * gives the same digits. Redis on processors whose `long double` differs, such as ARM, may print
 * others.
 *
 * A number is a BigInt times a power of two. Each result is rounded to the nearest number, and to
 * the even one of two that are equally near.
 *
 * Source: IEEE 754, double extended format; strtold and printf of the C standard.
 *
 * @module
 */

/** A finite number: `significand` times two to the power of `exponent`. */
export interface LongDouble {
  readonly significand: bigint;
  readonly exponent: number;
}

export const zero: LongDouble = { significand: 0n, exponent: 0 };

const significandBits = 64;
/** Of the last bit of the smallest numbers. */
const exponentMin = -16445;
/** The power of two that is too large. */
const exponentLimit = 16384;

/** Redis reads texts that are shorter than this. */
const charactersLimit = 5 * 1024;
/** Powers of ten that are beyond the largest and below the smallest number. */
const decimalExponentMax = 4950;
const decimalExponentMin = -4970;
/** Powers of two of hexadecimal texts, likewise. */
const binaryExponentMax = 16400;
const binaryExponentMin = -16460;

/** The decimals that are printed at most. */
const decimals = 17;
const decimalScale = 10n ** BigInt(decimals);

const decimalForm = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;
const hexadecimalForm = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const infinityForm = /^[+-]?inf(?:inity)?$/i;

/** Reads a number; undefined for a text that is none or is out of range. */
export function parseLongDouble(text: string): LongDouble | "infinite" | undefined {
  if (text.length >= charactersLimit) return undefined;
  if (infinityForm.test(text)) return "infinite";
  const isHexadecimal = /^[+-]?0x/i.test(text);
  const parts = (isHexadecimal ? hexadecimalForm : decimalForm).exec(text);
  if (parts === null) return undefined;
  const [, sign, whole, fraction = "", exponentText = "0"] = parts;
  if (whole === "" && fraction === "") return undefined;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return zero;
  const digitBits = isHexadecimal ? 4 : 1;
  const exponent = Number(exponentText) - digitBits * fraction.length;
  // The text is not exactly a number here, but near enough to see that it is out of range.
  const magnitude = exponent + digitBits * digits.length;
  if (magnitude > (isHexadecimal ? binaryExponentMax : decimalExponentMax)) return undefined;
  if (magnitude < (isHexadecimal ? binaryExponentMin : decimalExponentMin)) return undefined;
  const integer = BigInt(isHexadecimal ? `0x${digits}` : digits);
  const power = (isHexadecimal ? 2n : 10n) ** BigInt(Math.abs(exponent));
  const signed = sign === "-" ? -integer : integer;
  const value = exponent < 0 ? nearest(signed, power) : nearest(signed * power, 1n);
  // Redis refuses what is too large for a number, and what is so small that it would be zero.
  return value === "infinite" || value.significand === 0n ? undefined : value;
}

/** The sum of two numbers. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | "infinite" {
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = (a.significand << BigInt(a.exponent - exponent)) +
    (b.significand << BigInt(b.exponent - exponent));
  return exponent < 0
    ? nearest(sum, 1n << BigInt(-exponent))
    : nearest(sum << BigInt(exponent), 1n);
}

/** A number in decimal, with up to 17 decimals and no zeros at the end. */
export function longDoubleText({ significand, exponent }: LongDouble): string {
  const scaled = magnitudeOf(significand) * decimalScale;
  const rounded = exponent < 0
    ? divideToEven(scaled, 1n << BigInt(-exponent))
    : scaled << BigInt(exponent);
  if (rounded === 0n) return "0";
  const digits = String(rounded).padStart(decimals + 1, "0");
  const fraction = digits.slice(-decimals).replace(/0+$/, "");
  const sign = significand < 0n ? "-" : "";
  return `${sign}${digits.slice(0, -decimals)}${fraction === "" ? "" : `.${fraction}`}`;
}

/** The number nearest to a fraction. */
function nearest(numerator: bigint, denominator: bigint): LongDouble | "infinite" {
  if (numerator === 0n) return zero;
  const magnitude = magnitudeOf(numerator);
  // The quotient has as many bits as a significand, or one more.
  const bits = bitLength(magnitude) - bitLength(denominator);
  let exponent = Math.max(bits - significandBits, exponentMin);
  let significand = scaledQuotient(magnitude, denominator, exponent);
  if (bitLength(significand) > significandBits) {
    significand = scaledQuotient(magnitude, denominator, ++exponent);
  }
  if (bitLength(significand) + exponent > exponentLimit) return "infinite";
  return { significand: numerator < 0n ? -significand : significand, exponent };
}

/** A fraction divided by a power of two, rounded. */
function scaledQuotient(numerator: bigint, denominator: bigint, exponent: number): bigint {
  return exponent < 0
    ? divideToEven(numerator << BigInt(-exponent), denominator)
    : divideToEven(numerator, denominator << BigInt(exponent));
}

/** The quotient of two numbers from 0 on, rounded to the nearest, at a tie to the even one. */
function divideToEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = 2n * (dividend - quotient * divisor);
  const isUp = twice > divisor || twice === divisor && quotient % 2n === 1n;
  return isUp ? quotient + 1n : quotient;
}

function magnitudeOf(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** How many bits a number from 0 on has. */
function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const digits = value.toString(16);
  return 4 * (digits.length - 1) + 32 - Math.clz32(Number.parseInt(digits[0], 16));
}
