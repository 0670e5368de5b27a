import type { StoredRecord } from "@longhaul/contracts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { World } from "../world.ts";
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

/** Each stored write is a step that the diagram allows, and no generation has a second end. */
export class StateCheck implements Witness {
  readonly #world: World;
  readonly #ends = new Map<string, Status>();

  constructor(world: World) {
    this.#world = world;
  }

  onStored({ by, before, after }: StoredWrite): void {
    const { record } = after;
    this.#world.log.add(record.id, `JOBS     ${describe(after.seq, record)}, written by ${by}`);
    const problem = this.#problem(before?.record ?? null, record) ?? this.#secondEnd(before?.record ?? null, record);
    if (problem) this.#world.violate(`${problem} (written by ${by})`, record.id);
  }

  #problem(before: StoredRecord | null, after: StoredRecord): string | null {
    const unlike = (what: string) => `${what}: ${before?.status ?? "nothing"} → ${after.status}`;
    if (after.status !== "erased" && (after.run !== null) !== (after.status === "running")) {
      return unlike(after.run ? "a run although the job is not running" : "a running job without a run");
    }
    if (ENDS.includes(after.status) && after.status !== "erased" && "checkpoint" in after && after.checkpoint) {
      return unlike("an end that keeps its checkpoint");
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
    this.#world.statistics.count(`ends: ${after.status}`);
    return first ? `generation ${after.generation} ends twice: ${first}, then ${after.status}` : null;
  }
}

function describe(seq: number, record: StoredRecord): string {
  if (record.status === "erased") return `${seq}: erased`;
  const { status, generation, run, checkpoint, timeline, crashes, failures } = record;
  const last = timeline.at(-1)?.writeId === record.writeId ? timeline.at(-1)?.event : "checkpoint";
  const runText = run ? ` run ${run.id.slice(0, 4)} of item ${run.item}` : "";
  const upload = checkpoint ? ` key ${checkpoint.upload.key.slice(-6)} ${checkpoint.upload.id ?? ""}` : "";
  const counts = `${crashes > 0 ? ` crashes ${crashes}` : ""}${failures > 0 ? ` failures ${failures}` : ""}`;
  return `${seq}: ${last} (${status} g${generation}${runText}${upload}${checkpoint?.sealed ? " sealed" : ""}${counts})`;
}
