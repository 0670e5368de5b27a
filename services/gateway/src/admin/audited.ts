import { LOG_FIELDS } from "@longhaul/contracts";
import type { Audit } from "@longhaul/store";
import type { FastifyRequest } from "fastify";
import { ProblemError } from "../problem-error.ts";
import { operator } from "./roles.ts";

export type AuditPorts = { audit: Audit; now(): number; randomId(): string };

/** What an operator wants to do, to which job, message or operation, and why. */
export type OperatorsWrite = { action: string; subject: string; reason: string | null | undefined };

/**
 * Does what an operator wants, between two notes: that it was wanted, without which nothing is done, and what came of it.
 * @throws ProblemError `FORBIDDEN`; StoreError when it cannot be noted, and then nothing was done; whatever `act` throws
 */
export async function audited<T>(
  request: FastifyRequest,
  { audit, now, randomId }: AuditPorts,
  { action, subject, reason = null }: OperatorsWrite,
  act: () => Promise<T>,
): Promise<T> {
  const { tenant, user: actor } = operator(request);
  const { traceId } = request;
  const [_id, at] = [randomId(), new Date(now())];
  await audit.add({ _id, at, tenant, actor, action, subject, reason, traceId, outcome: null });
  const settle = async (outcome: string) => {
    const fields = { audit: action, actor, subject, reason, outcome, [LOG_FIELDS.traceId]: traceId };
    request.log.info(fields, "an operator wrote");
    // The record stands; that its outcome is missing says that nobody could note it.
    await audit
      .settle(_id, outcome)
      .catch((error: unknown) => request.log.warn({ err: error, ...fields }, "an outcome could not be noted"));
  };
  try {
    const result = await act();
    await settle("done");
    return result;
  } catch (error) {
    await settle(outcomeOf(error));
    throw error;
  }
}

/** Whether an error that is no answer of ours came before or after the write, nobody can tell. */
function outcomeOf(error: unknown): string {
  return error instanceof ProblemError && error.extra.outcome === undefined ? error.code : "unknown";
}
