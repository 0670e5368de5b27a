/**
 * What the gateways have promised, as they promised it, and where nobody can be blamed: for a missing work item, because
 * the gateway that wrote the record died before it could put the item, or did not learn whether the record was stored;
 * for a second life of a key's job, because the gateway could not ask the views.
 */
export class Promises {
  /** Jobs that were answered with 202. */
  readonly accepted = new Set<string>();
  readonly #itemless = new Set<string>();
  readonly #blind = new Set<string>();

  excuseMissingItem(job: string): void {
    this.#itemless.add(job);
  }

  mayMissItem(job: string): boolean {
    return this.#itemless.has(job);
  }

  /** This process goes on with a create without knowing whether the views know the job. */
  lookedInVain(process: string, job: string): void {
    this.#blind.add(`${process} ${job}`);
  }

  /** It looks again, for another request. */
  looksAnew(process: string, job: string): void {
    this.#blind.delete(`${process} ${job}`);
  }

  hasLookedInVain(process: string, job: string): boolean {
    return this.#blind.has(`${process} ${job}`);
  }
}
