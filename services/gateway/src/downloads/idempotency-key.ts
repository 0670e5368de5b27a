import { createHmac } from "node:crypto";
import { ProblemError } from "../problem-error.ts";

/** 1 to 255 visible ASCII characters. */
const KEY = /^[\x21-\x7e]{1,255}$/;
/** How long a key surely stands for its job, counted from the job's creation. */
const GUARANTEED_MS = 86_400_000;

/**
 * The key of an `Idempotency-Key` header, without the quotes that it may have: `"k"` and `k` are one key. null = none.
 * @throws ProblemError `INVALID_IDEMPOTENCY_KEY`
 */
export function idempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const text = String(header);
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (KEY.test(key)) return key;
  throw new ProblemError("INVALID_IDEMPOTENCY_KEY", "The idempotency key cannot be used; nothing was done.", {
    errors: [{ header: "idempotency-key", detail: "1 to 255 visible ASCII characters, with or without quotes" }],
  });
}

/**
 * The id of the job that a user creates with a key: always the same, of UUID version-4 shape (RFC 9562 §5.4), and
 * without the secret nobody can tell it from a random one. The scope of a key is the tenant's user.
 */
export function keyedJobId(secret: string, owner: { tenant: string; user: string }, key: string): string {
  const bytes = createHmac("sha256", secret).update(`${owner.tenant}\0${owner.user}\0${key}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Until when at least a repeat with the key is answered with the job, as ISO 8601. */
export function keyExpiresAt(createdAt: string): string {
  return new Date(Date.parse(createdAt) + GUARANTEED_MS).toISOString();
}
