/** An upload, or an object, with the time since when it has been there. */
export type Listed = { key: string; uploadId: string | null; since: Date };

/** So many are handed out together; few enough for a batch to end soon, also when every job of it costs a time-out. */
const BATCH = 100;
/** Looked at in a round; the next round goes on from there. */
const ROUND_MAX = 10_000;

/**
 * The uploads, or the objects, of a folder, of which each round reads a stretch. `P`: a place at which to go on, which may
 * be that of many that are listed together.
 */
export class FolderListing<P> {
  readonly #open: (from: P | undefined, signal: AbortSignal) => AsyncIterable<Listed & { place: P }>;
  #from: P | undefined;
  /** What was handed out already of those at this place: not its number, because what is removed is not listed again. */
  #handedOut: readonly string[] = [];

  constructor(open: (from: P | undefined, signal: AbortSignal) => AsyncIterable<Listed & { place: P }>) {
    this.#open = open;
  }

  /** The next stretch, in batches; after the last one the folder's begin is next. Whoever stops reading goes on there. */
  async *next(signal: AbortSignal): AsyncGenerator<Listed[]> {
    let batch: Listed[] = [];
    let looked = 0;
    let place = this.#from;
    const atPlace = new Set(this.#handedOut);
    for await (const listed of this.#open(place, signal)) {
      const name = `${listed.uploadId ?? ""} ${listed.key}`;
      if (!isSame(listed.place, place)) atPlace.clear();
      place = listed.place;
      if (atPlace.has(name)) continue;
      atPlace.add(name);
      batch.push(listed);
      if (++looked % BATCH !== 0) continue;
      this.#from = place;
      this.#handedOut = [...atPlace];
      yield batch;
      batch = [];
      if (looked >= ROUND_MAX) return;
    }
    this.#from = undefined;
    this.#handedOut = [];
    if (batch.length > 0) yield batch;
  }
}

/** Places are plain values: a key, or the markers of a page. */
const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
