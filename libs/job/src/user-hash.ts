import { createHash } from "node:crypto";

/** 22 characters of base64url = 132 bits: a user in subjects and keys, without the name. */
export function userHash(tenant: string, user: string): string {
  return createHash("sha256").update(`${tenant}\0${user}`).digest("base64url").slice(0, 22);
}
