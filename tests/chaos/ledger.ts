import type { StoredMessage } from "@longhaul/bus";
import type { Ask } from "./asks.ts";
import type { Trouble, Write } from "./takeovers.ts";

/** A job that was answered with 202. */
export type Accepted = { id: string; user: string; ask: Ask; atMs: number };
/** A command that was answered with success: what the answer said of the job. `erased`: the answer had no body. */
export type Answered = { command: string; status: string; generation: number; seq: number; atMs: number };
/** An end as it was stored. */
export type SeenEnd = { status: string; seq: number; atMs: number };

const ENDS: ReadonlySet<string> = new Set(["completed", "failed", "cancelled", "expired", "erased"]);
const LINES_KEPT = 60;
/**
 * After the store's troubles are over breakers wait for their next probe, and workers then begin with few slots: within
 * this time a job may find none.
 */
export const STORE_BACK_MS = 25_000;

/**
 * What this process was promised and what it saw, kept apart from every idea that the system has of it: the answers to
 * its own requests, and the stored writes as JetStream republishes them.
 */
export class Ledger {
  readonly accepted = new Map<string, Accepted>();
  /** Creates without an answer, or with one that says it is not known. */
  unknownCreates = 0;
  /** Creates that were refused because something is away or full. */
  refusedCreates = 0;
  /** Answers that nobody may get, whatever is away. */
  readonly oddAnswers: string[] = [];
  readonly answered = new Map<string, Answered[]>();
  /** By job, then by generation. */
  readonly ends = new Map<string, Map<number, SeenEnd[]>>();
  /** Stored writes of each job but checkpoints. */
  readonly writes = new Map<string, Write[]>();
  readonly troubles: Trouble[] = [];
  /** Messages put on the queue that nobody can read. */
  poison = 0;
  /** Stored writes of jobs that wait because the store is away. */
  waits = 0;
  readonly #lines = new Map<string, string[]>();
  readonly #startedAt = performance.now();

  now(): number {
    return performance.now() - this.#startedAt;
  }

  accept(id: string, user: string, ask: Ask): void {
    this.accepted.set(id, { id, user, ask, atMs: this.now() });
    this.note(id, `user   promised: 202 for ${ask.kind} (${ask.fileIds.join(", ")}), owner ${user}`);
  }

  answer(id: string, answered: Omit<Answered, "atMs">): void {
    this.answered.set(id, [...(this.answered.get(id) ?? []), { ...answered, atMs: this.now() }]);
    const { command, status, generation, seq } = answered;
    this.note(id, `user   promised: ${command} is answered with ${status}, generation ${generation}, version ${seq}`);
  }

  stored({ seq, record, type }: StoredMessage): void {
    const { id, generation, status } = record;
    const run = record.status === "running" ? ` by ${record.run?.worker} (run ${record.run?.id.slice(0, 4)})` : "";
    this.note(id, `stored ${type}: ${status}, generation ${generation}, version ${seq}${run}`);
    if (record.status === "queued" && record.progress.phase === "waiting_for_storage") this.waits++;
    if (type !== "download.checkpoint.v1") {
      const runId = record.status === "running" ? (record.run?.id ?? null) : null;
      this.writes.set(id, [...(this.writes.get(id) ?? []), { type, run: runId, atMs: this.now() }]);
    }
    // On a busy machine the store may be slower than its time-outs though nobody ill-treats it: then breakers open too.
    if (type === "download.retrying.v1") this.trouble("S3", STORE_BACK_MS);
    if (!ENDS.has(status)) return;
    const ends = this.ends.get(id) ?? new Map<number, SeenEnd[]>();
    this.ends.set(id, ends);
    const seen = ends.get(generation) ?? [];
    if (seen.some((end) => end.seq === seq)) return;
    ends.set(generation, [...seen, { status, seq, atMs: this.now() }]);
  }

  /** From now on, and for so many milliseconds more, this is away. */
  trouble(what: Trouble["with"], forMs: number): void {
    this.troubles.push({ with: what, fromMs: this.now(), toMs: this.now() + forMs });
  }

  /** A line of the job's story. */
  note(id: string, text: string): void {
    const lines = this.#lines.get(id) ?? [];
    lines.push(`${(this.now() / 1000).toFixed(3).padStart(9)} s  ${text}`);
    // The first lines say what was promised; of the rest the newest are of use.
    if (lines.length > LINES_KEPT) lines.splice(2, 1);
    this.#lines.set(id, lines);
  }

  story(id: string): readonly string[] {
    return this.#lines.get(id) ?? [];
  }
}
