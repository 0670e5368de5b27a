/** A CRC-32 as S3 writes it, base64 of its four bytes, from its eight hex digits. */
export const crc32Base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");
