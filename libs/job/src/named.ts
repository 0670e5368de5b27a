import type { JobRecord, PayloadRef } from "@longhaul/contracts";
import { isUnfinished } from "./end.ts";

/**
 * The record with `named` as it must be: true once the job has chosen any key under `results/` or `payload/`, and for
 * ever after, because an object may be there that the record no longer names. Cleanup lists only for named jobs.
 */
export function namesKeys(record: JobRecord): JobRecord {
  const { spec, plan, checkpoint, outcomes, result } = record;
  const refs = [spec.ref, plan?.ref, outcomes !== null && "ref" in outcomes.exceptions];
  const named = record.named || checkpoint !== null || result?.kind === "owned" || refs.some(Boolean);
  return { ...record, named };
}

/** A job as it stands, for the question what it names: of an erased one nothing else matters. */
export type Standing = JobRecord | { status: "erased" };

/** What the record says is still in use. `uploads`: keys whose multipart uploads are. */
export type Named = { objects: ReadonlySet<string>; uploads: ReadonlySet<string> };

/**
 * An unfinished job (also a paused one) names the key that it is writing to, with its upload, and every payload. An
 * ended one names no upload, its payloads, and its result while that can be fetched; an erased one nothing.
 */
export function namedBy(record: Standing): Named {
  if (record.status === "erased") return { objects: new Set(), uploads: new Set() };
  const { status, spec, plan, checkpoint, outcomes, result } = record;
  const objects = [
    ...refsIn(spec.ref, plan?.ref, outcomes && "ref" in outcomes.exceptions ? outcomes.exceptions.ref : null),
    ...(status === "completed" && result?.key ? [result.key] : []),
  ];
  if (!isUnfinished(status) || checkpoint === null) return { objects: new Set(objects), uploads: new Set() };
  const { upload, parts, sealed } = checkpoint;
  const sealedRef = sealed !== null && "ref" in sealed.parts ? sealed.parts.ref : null;
  return {
    objects: new Set([...objects, upload.key, ...refsIn("ref" in parts ? parts.ref : null, sealedRef)]),
    uploads: new Set([upload.key]),
  };
}

const refsIn = (...refs: (PayloadRef | null | undefined)[]): string[] => refs.flatMap((ref) => ref?.key ?? []);
