/** What happened in histories, counted: it shows whether the simulation gets anywhere worth testing. */
export class Statistics {
  readonly #counts = new Map<string, number>();

  count(what: string, times = 1): void {
    this.#counts.set(what, this.of(what) + times);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  add(other: Statistics): void {
    for (const [what, times] of other.#counts) this.count(what, times);
  }

  entries(): [string, number][] {
    return [...this.#counts].sort(([a], [b]) => a.localeCompare(b));
  }
}
