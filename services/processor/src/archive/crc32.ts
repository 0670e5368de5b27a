/** The generator polynomial of CRC-32 (ISO 3309; APPNOTE 4.4.7), bit-reflected: bit 31 is the coefficient of x⁰. */
const POLYNOMIAL = 0xedb88320;
const X_TO_THE_0 = 0x80000000;
const X_TO_THE_8 = 0x00800000;

/**
 * CRC-32 of two byte strings one after the other, from their CRCs alone.
 *
 * Appending n bytes multiplies what stands before them by x^(8n) modulo the polynomial, and the pre- and
 * post-conditioning of the two CRCs cancel out. It is the method of `crc32_combine` in zlib (Mark Adler, crc32.c).
 * @param lengthOfSecond in bytes, any safe integer
 */
export function crc32Combine(first: number, second: number, lengthOfSecond: number): number {
  return (multiply(first, xToThe8n(lengthOfSecond)) ^ second) >>> 0;
}

/** A CRC-32 as the contracts write it: eight lower-case hex digits. */
export const crc32Hex = (crc: number): string => crc.toString(16).padStart(8, "0");

/** The number that `crc32Hex` wrote. */
export const crc32FromHex = (hex: string): number => Number.parseInt(hex, 16);

/** x^(8n) modulo the polynomial, by repeated squaring. */
function xToThe8n(n: number): number {
  let power = X_TO_THE_0;
  let square = X_TO_THE_8;
  // Division, not shifts: lengths go beyond 32 bits.
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
}

/** Product of two polynomials over GF(2), modulo the generator. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = X_TO_THE_0; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}
