import { randomBytes, randomUUID } from "node:crypto";

/** Randomness as the code of services sees it; simulations bring a seeded one. */
export type Random = {
  /** UUID of version 4. */
  id(): string;
  /** 128 random bits that nobody can guess, base64url (22 characters): for keys and write ids. */
  token(): string;
  /** `bytes` random bytes in lower-case hex. */
  hex(bytes: number): string;
  /** Uniform in 0 (included) … 1 (excluded): for jitter and sampling, never for secrets. */
  unit(): number;
};

export const systemRandom: Random = {
  id: () => randomUUID(),
  token: () => randomBytes(16).toString("base64url"),
  hex: (bytes) => randomBytes(bytes).toString("hex"),
  unit: () => Math.random(),
};
