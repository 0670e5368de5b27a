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

/** Random bytes are fetched in stock, as Node does for UUIDs: the call to the system costs more than the bytes. */
const STOCK_BYTES = 4096;
let stock = randomBytes(STOCK_BYTES);
let used = 0;

/** The next bytes of the stock; none is ever handed out twice. */
function nextBytes(count: number): Buffer {
  if (count > STOCK_BYTES) return randomBytes(count);
  if (used + count > STOCK_BYTES) {
    stock = randomBytes(STOCK_BYTES);
    used = 0;
  }
  used += count;
  return stock.subarray(used - count, used);
}

export const systemRandom: Random = {
  id: () => randomUUID(),
  token: () => nextBytes(16).toString("base64url"),
  hex: (bytes) => nextBytes(bytes).toString("hex"),
  unit: () => Math.random(),
};
