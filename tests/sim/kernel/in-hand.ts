import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Sequence of the work item that the present code was started for: what a worker reads and writes for one item says
 * nothing about what it knows or does for another of the same job.
 */
const items = new AsyncLocalStorage<number>();

export const withItem = <T>(sequence: number, work: () => T): T => items.run(sequence, work);

/** null = for none in particular. */
export const itemInHand = (): number | null => items.getStore() ?? null;
