/**
 * Where a reader stands: `seq` is the stream sequence of the newest write, `n` counts the progress since then.
 * Shown as `seq.n`, which is two integers and no decimal fraction: 42.10 comes after 42.9.
 */
export type Version = { seq: number; n: number };

const SHAPE = /^(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})$/;

export function formatVersion(version: Version): string {
  return `${version.seq}.${version.n}`;
}

/** Reads what `formatVersion` prints; null for anything else, numbers too large to be exact included. */
export function parseVersion(text: string): Version | null {
  const [, seq, n] = SHAPE.exec(text) ?? [];
  if (seq === undefined || n === undefined) return null;
  const version = { seq: Number(seq), n: Number(n) };
  return Number.isSafeInteger(version.seq) && Number.isSafeInteger(version.n) ? version : null;
}

/** Negative when `a` is older than `b`, 0 when they are the same, positive when it is newer. */
export function compareVersions(a: Version, b: Version): number {
  return a.seq === b.seq ? a.n - b.n : a.seq - b.seq;
}
