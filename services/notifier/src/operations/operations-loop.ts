import { BusError, isTransient } from "@longhaul/bus";
import { type Clock, type Logger, type Loop, sleptThrough } from "@longhaul/runtime";
import { type DeadLetterViews, type Operation, type Operations, StoreError } from "@longhaul/store";
import { type RedrivePolicy, type RedrivePorts, redrive } from "./redrive.ts";

export type OperationsOptions = {
  operations: Operations;
  views: DeadLetterViews;
  jobs: RedrivePorts;
  policy: RedrivePolicy;
  clock: Clock;
  /** Tells this process from others. */
  token: string;
  log: Logger;
};

/** How often an idle notifier looks for work. */
const LOOK_MS = 2_000;
/** A notifier that says nothing for so long is dead or frozen, and another takes its operation over. */
const CLAIM_MS = 30_000;

/**
 * Does the bulk work that operators ask for, one operation at a time, at its rate. Any number of notifiers may run this:
 * an operation is claimed, and whoever takes it over goes on where it was.
 */
export function operationsLoop(options: OperationsOptions): Loop {
  const { operations, clock, token, log } = options;
  const notNow = (error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
    log.debug({ err: error }, "nobody can tell whether there is bulk work to do");
    return null;
  };
  return {
    name: "operations",
    async run(signal) {
      while (!signal.aborted) {
        const operation = await operations.claim(token, new Date(clock.now()), claimEnd(clock)).catch(notNow);
        if (operation !== null) await carryOut(options, operation, signal);
        else await sleptThrough(clock, LOOK_MS, signal);
      }
    },
  };
}

/** Does an operation until it is done, stopped, or not this process's any more. */
async function carryOut(options: OperationsOptions, operation: Operation, signal: AbortSignal): Promise<void> {
  const { operations, clock, token } = options;
  const log = options.log.child({ operationId: operation._id, action: operation.action });
  let { tally, position } = operation;
  let waits = false;
  while (!signal.aborted) {
    const beganAt = clock.monotonic();
    try {
      const step = await oneSecond(options, { ...operation, tally, position }, signal);
      ({ tally, position } = step);
      const endedAt = step.last ? new Date(clock.now()) : null;
      const state = { tally, position, endedAt, until: claimEnd(clock) };
      const mine = await operations.advance(operation._id, token, state);
      if (step.last || !mine) return log.info(tally, mine ? "operation ended" : "operation was stopped, or taken over");
      waits = false;
    } catch (error) {
      if (!(error instanceof BusError || error instanceof StoreError)) throw error;
      // Once for each time that it has to wait, and not every second.
      if (!waits) log.warn({ err: error, ...tally }, "an operation waits: a server that it needs is away");
      waits = true;
    }
    await sleptThrough(clock, Math.max(0, 1000 - (clock.monotonic() - beganAt)), signal);
  }
  // Whoever goes on need not wait until the claim is over.
  const state = { tally, position, endedAt: null, until: new Date(clock.now()) };
  await operations.advance(operation._id, token, state).catch(() => undefined);
}

type Step = Pick<Operation, "tally" | "position"> & { last: boolean };

/** The next jobs, as many as one second allows; fewer when the bus goes away. */
async function oneSecond(options: OperationsOptions, operation: Operation, signal: AbortSignal): Promise<Step> {
  const { views, jobs, policy, log } = options;
  const { code, ratePerSecond } = operation;
  const page = await views.page({ maxAttempts: policy.maxAttempts, code }, operation.position, ratePerSecond);
  const tally = { ...operation.tally };
  let { position } = operation;
  for (const view of page) {
    if (signal.aborted) return { tally, position, last: false };
    try {
      tally[await redrive(jobs, policy, operation, view._id)]++;
    } catch (error) {
      if (isTransient(error)) return { tally, position, last: false };
      tally.failed++;
      log.error({ err: error, job_id: view._id }, "a dead letter could not be redriven");
    }
    position = { createdAt: view.createdAt, id: view._id };
  }
  return { tally, position, last: page.length < ratePerSecond };
}

const claimEnd = (clock: Clock) => new Date(clock.now() + CLAIM_MS);
