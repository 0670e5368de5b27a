import type { OperationBody, OperationDryRun, OperationState } from "@longhaul/contracts";
import type { DeadLetterViews, Operation, Operations } from "@longhaul/store";
import { z } from "zod";
import { ProblemError } from "../problem-error.ts";
import { openSigned, sign } from "../signed-value.ts";
import { deadJob } from "./dead-letter-view.ts";

/** What bulk work needs of the world. The work itself is a notifier's. */
export type OperationPorts = {
  operations: Operations;
  views: DeadLetterViews;
  now(): number;
  randomId(): string;
};

/** `tokenSecret` signs what a dry run shows. */
export type OperationPolicy = { maxAttempts: number; tokenSecret: string };

const SAMPLE = 20;
const TOKEN_LIFE_MS = 10 * 60_000;
const confirmed = z.object({ operationId: z.string(), until: z.number() });

/** What an operation would do now. Its token names the operation that it may begin, so that a repeat begins no other. */
export async function dryRun(
  { views, now, randomId }: OperationPorts,
  { maxAttempts, tokenSecret }: OperationPolicy,
  body: OperationBody,
): Promise<OperationDryRun> {
  const query = { maxAttempts, code: body.filter.code ?? null };
  const groups = await views.groups(query);
  const byCode: Record<string, number> = {};
  for (const { code, count } of groups) byCode[code] = (byCode[code] ?? 0) + count;
  const sample = (await views.page(query, null, SAMPLE)).map((view) => deadJob(view.record));
  const token = { operationId: randomId(), until: now() + TOKEN_LIFE_MS };
  const confirmToken = sign(tokenSecret, purposeOf(body), token);
  return { matched: groups.reduce((sum, { count }) => sum + count, 0), byCode, sample, confirmToken };
}

/** The id of the operation that a dry run showed and the body confirms. @throws ProblemError `VALIDATION_ERROR` */
export function confirmedId({ now }: OperationPorts, { tokenSecret }: OperationPolicy, body: OperationBody): string {
  const token = openSigned(tokenSecret, purposeOf(body), body.confirmToken ?? "", confirmed);
  if (token === null || token.until < now()) {
    throw new ProblemError("VALIDATION_ERROR", "Make a dry run first, and confirm what it shows within 10 minutes.", {
      errors: [
        { pointer: "#/confirmToken", detail: "the `confirmToken` of a dry run with the same action and filter" },
      ],
    });
  }
  return token.operationId;
}

/** Begins the operation with a confirmed id, unless it has begun already. @throws StoreError */
export async function begin(
  { operations, views, now }: OperationPorts,
  { maxAttempts }: OperationPolicy,
  body: OperationBody,
  by: { id: string; actor: string; traceparent: string },
): Promise<void> {
  const { id, ...asked } = by;
  const code = body.filter.code ?? null;
  const groups = await views.groups({ maxAttempts, code });
  await operations.add({
    _id: id,
    action: body.action,
    code,
    ratePerSecond: body.ratePerSecond,
    ...asked,
    reason: body.reason ?? null,
    status: "running",
    matched: groups.reduce((sum, { count }) => sum + count, 0),
    tally: { done: 0, skipped: 0, failed: 0 },
    position: null,
    createdAt: new Date(now()),
    endedAt: null,
    claim: null,
  });
}

/** An operation as operators see it. */
export function operationState(operation: Operation): OperationState {
  const { _id, action, code, ratePerSecond, status, matched, tally, actor, reason, createdAt, endedAt } = operation;
  return {
    operationId: _id,
    action,
    filter: { kind: "job", code },
    ratePerSecond,
    status,
    matched,
    ...tally,
    actor,
    reason,
    createdAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}

const purposeOf = ({ action, filter }: OperationBody) => `operation ${action} job ${filter.code ?? ""}`;
