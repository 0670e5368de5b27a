/** A body may be this slow before its call is given up. */
const SLOWEST_BYTES_PER_SECOND = 1024 ** 2;

/** How long a call with a body of `sizeBytes` may take, milliseconds. */
export function transferTimeoutMs(sizeBytes: number, callTimeoutMs: number): number {
  return Math.round(callTimeoutMs + (sizeBytes / SLOWEST_BYTES_PER_SECOND) * 1000);
}
