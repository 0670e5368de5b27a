/** The first `major.minor[.patch]` in a text such as "nats-server: v2.15.1", as numbers; null when there is none. */
export function versionIn(text: string): readonly number[] | null {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match ? match.slice(1).map((part) => Number(part ?? 0)) : null;
}

/** True when `found` is `minimum` or newer; parts that are missing count as 0. */
export function isAtLeast(found: readonly number[], minimum: readonly number[]): boolean {
  for (let part = 0; part < Math.max(found.length, minimum.length); part++) {
    const difference = (found[part] ?? 0) - (minimum[part] ?? 0);
    if (difference !== 0) {
      return difference > 0;
    }
  }
  return true;
}
