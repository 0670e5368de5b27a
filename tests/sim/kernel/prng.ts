/**
 * Seeded random numbers: sfc32 by Chris Doty-Humphrey (PractRand, public domain), its state filled from the seed by
 * splitmix32. Fast, 128 bits of state, and the same on every machine: integers only.
 */
export class Prng {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    const fill = splitmix32(this.#seed);
    this.#a = fill();
    this.#b = fill();
    this.#c = fill();
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** A stream of its own for one part of the world, so that a draw more in one part changes nothing in another. */
  fork(name: string): Prng {
    let hash = this.#seed;
    for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
    return new Prng(hash);
  }

  /** Uniform in 0 (included) … 1 (excluded). */
  unit(): number {
    return this.#next() / 2 ** 32;
  }

  /** Whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  /** Number between two bounds above 0, evenly spread over their orders of magnitude. */
  magnitude(low: number, high: number): number {
    return low * (high / low) ** this.unit();
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.int(0, choices.length - 1)];
    if (choice === undefined) throw new Error("nothing to pick from");
    return choice;
  }

  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string {
    let text = "";
    for (let i = 0; i < bytes; i++) text += this.int(0, 255).toString(16).padStart(2, "0");
    return text;
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}
