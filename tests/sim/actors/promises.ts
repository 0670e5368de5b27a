/**
 * What the gateways have promised, as they promised it, and where nobody can be blamed for a missing work item: the
 * gateway that wrote the record died before it could put the item, or did not learn whether the record was stored.
 */
export class Promises {
  /** Jobs that were answered with 202. */
  readonly accepted = new Set<string>();
  readonly #itemless = new Set<string>();

  excuseMissingItem(job: string): void {
    this.#itemless.add(job);
  }

  mayMissItem(job: string): boolean {
    return this.#itemless.has(job);
  }
}
