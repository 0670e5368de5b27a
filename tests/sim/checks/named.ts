import type { JobRecord, PayloadRef } from "@longhaul/contracts";
import type { Standing } from "@longhaul/job";
import type { Scene } from "../scene.ts";

const UNFINISHED: readonly JobRecord["status"][] = ["queued", "running", "paused"];

/** The job as `JOBS` has it, and when that has let it go, as its view has it; null = nothing is known of it. */
export function standingOf({ server, views }: Pick<Scene, "server" | "views">, id: string): Standing | null {
  const stored = server.jobs.newest(id);
  if (stored) return stored.record.status === "erased" ? { status: "erased" } : (stored.record as JobRecord);
  const view = views.get(id);
  if (view === null) return null;
  return "erased" in view ? { status: "erased" } : view.record;
}

/** Whether the record says that an upload under this key is in use. */
export function namesUpload(record: Standing | null, key: string): boolean {
  if (record === null || record.status === "erased" || !UNFINISHED.includes(record.status)) return false;
  return record.checkpoint?.upload.key === key;
}

/** The payloads that the record says are in use. */
export function payloadsOf(record: Standing | null): PayloadRef[] {
  if (record === null || record.status === "erased") return [];
  const { spec, plan, outcomes, checkpoint } = record;
  const lists = [outcomes?.exceptions, checkpoint?.parts, checkpoint?.sealed?.parts];
  return [spec.ref, plan?.ref, ...lists.map((list) => (list && "ref" in list ? list.ref : null))].filter(
    (ref) => !!ref,
  );
}

/** Whether the record says that the object is in use. */
export function namesObject(record: Standing | null, key: string): boolean {
  if (payloadsOf(record).some((ref) => ref.key === key)) return true;
  if (record?.status === "completed") return record.result?.key === key;
  return namesUpload(record, key);
}
