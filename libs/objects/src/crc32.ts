/** A CRC-32 as S3 writes it, base64 of its four bytes, from its eight hex digits. */
export const crc32Base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");

/** The eight hex digits of a CRC-32 as S3 writes it; null for anything else. */
export function crc32FromBase64(text: string | undefined): string | null {
  return /^[A-Za-z0-9+/]{6}==$/.test(text ?? "") ? Buffer.from(text ?? "", "base64").toString("hex") : null;
}
