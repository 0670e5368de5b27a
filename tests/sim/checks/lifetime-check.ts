import type { StoredRecord } from "@longhaul/contracts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import { EPOCH } from "../kernel/process.ts";
import type { World } from "../world.ts";
import type { Witness } from "./witness.ts";

const DAY_SECONDS = 86_400;
const UNFINISHED: readonly StoredRecord["status"][] = ["queued", "running", "paused"];

/**
 * What is not at its end stays in `JOBS`; every end leaves it, after a day at least, and for a result not before its time.
 * Nothing expires before its time.
 */
export class LifetimeCheck implements Witness {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  onStored({ by, last, after: { record }, ttlSeconds }: StoredWrite): void {
    const early = record.status === "expired" && new Date(EPOCH + this.#world.now).toISOString() < timeOf(last?.record);
    const problem = early ? "is expired before its time" : this.#problem(record, ttlSeconds);
    if (problem) this.#world.violate(`${record.status}: the job ${problem} (written by ${by})`, record.id);
  }

  #problem(record: StoredRecord, ttlSeconds: number | null): string | null {
    if (UNFINISHED.includes(record.status)) return ttlSeconds === null ? null : "would leave JOBS";
    if (ttlSeconds === null) return "would stay in JOBS for ever";
    const result = record.status === "completed" ? record.result?.expiresAt : undefined;
    const untilResult = result ? (Date.parse(result) - Date.parse(record.updatedAt)) / 1000 : 0;
    return ttlSeconds < DAY_SECONDS + untilResult ? `leaves JOBS after ${ttlSeconds} s already` : null;
  }
}

/** When the job, as it stood, could be expired. */
function timeOf(record: StoredRecord | undefined): string {
  if (record === undefined || record.status === "erased") return "";
  return record.status === "completed" ? (record.result?.expiresAt ?? "") : record.deadlineAt;
}
