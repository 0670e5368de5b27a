import type { StoredRecord } from "@longhaul/contracts";
import type { Promises } from "../actors/promises.ts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Scene } from "../scene.ts";
import type { Witness } from "./witness.ts";

type Status = StoredRecord["status"];

/** The diagram of a job's life, line by line: from where to where a write may lead in the same generation … */
const SAME_GENERATION: Record<Status, readonly Status[]> = {
  queued: ["running", "paused", "cancelled", "expired", "erased"],
  running: ["running", "queued", "paused", "cancelled", "completed", "failed", "expired", "erased"],
  paused: ["cancelled", "expired", "erased"],
  completed: ["expired", "erased"],
  failed: ["erased"],
  cancelled: ["erased"],
  expired: ["erased"],
  erased: [],
};
/** … and which states a new generation may follow: resume and retry. */
const NEW_GENERATION_AFTER: readonly Status[] = ["paused", "failed", "cancelled"];
const ENDS: readonly Status[] = ["completed", "failed", "cancelled", "expired"];

/**
 * Each stored write is a step that the diagram allows, and no generation has a second end. A job that has left `JOBS` is
 * only expired or deleted; and it begins anew, with its key, when nobody knows it any more, or nobody could be asked.
 */
export class StateCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "views">;
  readonly #promises: Promises;
  readonly #ends = new Map<string, Status>();

  constructor(scene: Pick<Scene, "world" | "views">, promises: Promises) {
    this.#scene = scene;
    this.#promises = promises;
  }

  onStored({ by, before, last, after }: StoredWrite): void {
    const { world } = this.#scene;
    const { record } = after;
    world.log.add(record.id, `JOBS     ${describe(after.seq, record)}, written by ${by}`);
    const archived = before === null && last !== null;
    const anew = archived && record.status === "queued" && this.#mayBeginAnew(by, record);
    if (archived) world.statistics.count(`writes on archived jobs: ${record.status}`);
    const base = anew ? null : (last?.record ?? null);
    const problem =
      (archived && !anew ? archivedProblem(base, record) : null) ??
      this.#problem(base, record) ??
      this.#secondEnd(base, record);
    if (problem) world.violate(`${problem} (written by ${by})`, record.id);
  }

  #mayBeginAnew(by: string, { id }: StoredRecord): boolean {
    const may = this.#scene.views.get(id) === null || this.#promises.hasLookedInVain(by, id);
    if (may) for (const generation of this.#ends.keys()) if (generation.startsWith(id)) this.#ends.delete(generation);
    return may;
  }

  #problem(before: StoredRecord | null, after: StoredRecord): string | null {
    const unlike = (what: string) => `${what}: ${before?.status ?? "nothing"} → ${after.status}`;
    if (after.status !== "erased" && (after.run !== null) !== (after.status === "running")) {
      return unlike(after.run ? "a run although the job is not running" : "a running job without a run");
    }
    if (ENDS.includes(after.status) && after.status !== "erased" && "checkpoint" in after && after.checkpoint) {
      return unlike("an end that keeps its checkpoint");
    }
    if (before !== null && "failures" in before && "failures" in after && isWaiting(after.progress.phase)) {
      if (after.failures !== before.failures) return unlike("a try used up by waiting for a store or a source");
    }
    if (before === null)
      return after.status === "queued" && after.generation === 1 ? null : unlike("a strange beginning");
    if (before.named && !after.named) return unlike("it is forgotten that the job has chosen a key");
    if (after.generation === before.generation) {
      return SAME_GENERATION[before.status].includes(after.status)
        ? null
        : unlike("a step that the diagram does not have");
    }
    if (after.generation !== before.generation + 1) {
      return `the generation goes from ${before.generation} to ${after.generation}`;
    }
    const begins = after.status === "queued" && NEW_GENERATION_AFTER.includes(before.status);
    return begins ? null : unlike("a new generation out of nothing");
  }

  #secondEnd(before: StoredRecord | null, after: StoredRecord): string | null {
    if (!ENDS.includes(after.status) || before?.status === "completed") return null;
    const generation = `${after.id}/${after.generation}`;
    const first = this.#ends.get(generation);
    this.#ends.set(generation, after.status);
    this.#scene.world.statistics.count(`ends: ${after.status}`);
    return first ? `generation ${after.generation} ends twice: ${first}, then ${after.status}` : null;
  }
}

function archivedProblem(last: StoredRecord | null, after: StoredRecord): string | null {
  if (after.status !== "expired" && after.status !== "erased")
    return `a job that has left JOBS becomes ${after.status}`;
  return last && ENDS.includes(last.status) ? null : `a job that has left JOBS without an end: ${last?.status}`;
}

const isWaiting = (phase: string) => phase === "waiting_for_storage" || phase === "waiting_for_source";

function describe(seq: number, record: StoredRecord): string {
  if (record.status === "erased") return `${seq}: erased`;
  const { status, generation, run, checkpoint, timeline, crashes, failures } = record;
  const last = timeline.at(-1)?.writeId === record.writeId ? timeline.at(-1)?.event : "checkpoint";
  const runText = run ? ` run ${run.id.slice(0, 4)} of item ${run.item}` : "";
  const upload = checkpoint ? ` key ${checkpoint.upload.key.slice(-6)} ${checkpoint.upload.id ?? ""}` : "";
  const counts = `${crashes > 0 ? ` crashes ${crashes}` : ""}${failures > 0 ? ` failures ${failures}` : ""}`;
  return `${seq}: ${last} (${status} g${generation}${runText}${upload}${checkpoint?.sealed ? " sealed" : ""}${counts})`;
}
