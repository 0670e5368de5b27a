import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { seededChunks } from "@longhaul/runtime";
import { expect, test } from "vitest";
import { seededSha256, seededStream } from "./seeded-bytes.ts";

test("the stream and the hash are those of the bytes", async () => {
  const bytes = Buffer.concat([...seededChunks(70_000, 300_001)]);
  expect(seededSha256(70_000, 300_001)).toBe(createHash("sha256").update(bytes).digest("hex"));
  expect(await text(seededStream(70_000, 300_001))).toBe(bytes.toString());
});
