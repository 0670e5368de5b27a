import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32Combine, crc32FromHex, crc32Hex } from "./crc32.ts";

test("combines to the CRC of both byte strings in a row", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ maxLength: 5000 }), (first, second) => {
      const whole = crc32(Buffer.concat([first, second]));
      expect(crc32Combine(crc32(first), crc32(second), second.length)).toBe(whole);
    }),
  );
});

test("combines over lengths beyond 32 bits as it does in smaller steps", () => {
  const GIB = 2 ** 30;
  const tail = 0x12345678;
  let inSteps = 0xcafebabe;
  for (let step = 0; step < 9; step += 1) inSteps = crc32Combine(inSteps, 0, GIB);
  expect((inSteps ^ tail) >>> 0).toBe(crc32Combine(0xcafebabe, tail, 9 * GIB));
});

test("is written as eight hex digits", () => {
  expect(crc32Hex(0xab)).toBe("000000ab");
  expect(crc32FromHex("ffffffff")).toBe(0xffffffff);
});
