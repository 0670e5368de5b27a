/** What a run does beyond its own memory. */
export type Call = "plan" | "create upload" | "part" | "checkpoint" | "seal" | "complete" | "head";

/** Of a run: before its nth call of a kind, or between what that call does and its answer. */
export type Moment = { at: Call; nth: number; when: "before" | "after" };

const forever = () => new Promise<never>(() => {});

/** The calls of one run, which dies at a moment, or meets something else then. */
export class RunCalls {
  /** Resolves when the run has died: none of its calls is answered any more. */
  readonly died: Promise<null>;
  readonly #moment: Moment | null;
  readonly #happens: () => unknown;
  readonly #counts = new Map<Call, number>();
  #isDead = false;

  constructor(moment: Moment | null, happens?: () => unknown) {
    const { promise, resolve } = Promise.withResolvers<null>();
    this.died = promise;
    this.#moment = moment;
    this.#happens =
      happens ??
      (() => {
        this.#isDead = true;
        resolve(null);
      });
  }

  async make<T>(at: Call, call: () => Promise<T>): Promise<T> {
    if (this.#isDead) return await forever();
    const nth = (this.#counts.get(at) ?? 0) + 1;
    this.#counts.set(at, nth);
    await this.#meet({ at, nth, when: "before" });
    const result = await call();
    await this.#meet({ at, nth, when: "after" });
    return result;
  }

  async #meet({ at, nth, when }: Moment): Promise<void> {
    const moment = this.#moment;
    if (moment?.at === at && moment.nth === nth && moment.when === when) await this.#happens();
    if (this.#isDead) await forever();
  }
}
