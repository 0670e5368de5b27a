/** Operations in one bulk at most; a larger one would hold the database's write tickets for too long. */
const MOST = 500;
const FIRST = 100;
const LEAST = 25;

/**
 * How many operations to send at a time. A bulk that was too much for the time-out of one call would be too much again,
 * while the database still works on the first: so each one that is late halves the size, and each that was done in time
 * lets it grow by a little.
 */
export class BulkSize {
  #operations = FIRST;

  get operations(): number {
    return this.#operations;
  }

  inTime(): void {
    this.#operations = Math.min(MOST, this.#operations + LEAST);
  }

  late(): void {
    this.#operations = Math.max(LEAST, Math.floor(this.#operations / 2));
  }
}
