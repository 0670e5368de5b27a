import type { DeadLetter } from "@longhaul/bus";
import {
  type DeadJob,
  type DeadJobDetail,
  type DeadMessage,
  type DeadMessageDetail,
  type JobRecord,
  UNREADABLE,
} from "@longhaul/contracts";
import { formatVersion } from "@longhaul/job";
import { traceIdOf } from "@longhaul/runtime";

/** A failed job as operators see it in a list. */
export function deadJob(record: JobRecord): DeadJob {
  const { error } = record;
  return {
    kind: "job",
    id: record.id,
    code: error?.code ?? "INTERNAL",
    stage: error?.stage ?? "claim",
    message: error?.message ?? "",
    tenantId: record.tenant,
    userId: record.user,
    priority: record.spec.class,
    generation: record.generation,
    attempts: record.failures,
    crashes: record.crashes,
    createdAt: record.createdAt,
    failedAt: record.completedAt ?? record.updatedAt,
    traceId: traceIdOf(record.traceparent) ?? "",
  };
}

/** The same with all that helps to find out why. */
export function deadJobDetail(record: JobRecord, seq: number): DeadJobDetail {
  const { tier, clientIp, userAgent, createdVia, spec, error, timeline, usage } = record;
  const version = formatVersion({ seq, n: 0 });
  const who = { tier, clientIp, userAgent, createdVia };
  return { ...deadJob(record), ...who, request: spec, cause: error, timeline, usage, version };
}

/** A message that nobody could read, as operators see it in a list. */
export function deadMessage({ id, at, subject, reason, bytes }: DeadLetter): DeadMessage {
  return {
    kind: "message",
    id,
    code: UNREADABLE,
    stage: null,
    message: reason,
    subject,
    sizeBytes: bytes.byteLength,
    failedAt: at,
  };
}

/** The same with its bytes. */
export function deadMessageDetail(letter: DeadLetter): DeadMessageDetail {
  return { ...deadMessage(letter), dataBase64: Buffer.from(letter.bytes).toString("base64") };
}
