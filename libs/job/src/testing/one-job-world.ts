import type { Checkpoint, JobRecord, StoredRecord } from "@longhaul/contracts";
import { type Change, stamp } from "../change.ts";
import { type CommandType, decide } from "../commands.ts";
import { onDelivery, onFenced } from "../delivery.ts";
import { isLive, isOver } from "../end.ts";
import { jobError } from "../failure.ts";
import { newJob } from "../job.ts";
import * as run from "../run.ts";
import { settle } from "../settle.ts";
import { userHash } from "../user-hash.ts";
import { at, newJobInput, POLICY, recordIn } from "./builders.ts";

export type Stored = { seq: number; record: StoredRecord };
/** Called for each write that is stored, with what it replaced. */
export type Witness = (before: Stored | null, after: Stored, change: Change) => void;

export type WorkStep = "checkpoint" | "complete" | "fail" | "try fails" | "wait for source" | "hand back" | "die";

/**
 * `read`: the job as this actor last saw it, which may be old news. `item`: the work item in hand. `mine`: the last write
 * of the actor's own run, null when it runs nothing.
 */
type Actor = { read: Stored | null; item: number | null; mine: Stored | null };

/**
 * One job in a world of its own: a log that keeps the newest record and takes a write only on the sequence that it
 * names, a queue of work items, and actors whose knowledge may be stale. Nothing here decides anything: the rules do.
 */
export class OneJobWorld {
  #newest: Stored | null = null;
  #seconds = 0;
  #ids = 0;
  /** Generation of each item that is in the queue, by its sequence. */
  readonly #items = new Map<number, number>();
  readonly #actors: Actor[];
  readonly #witness: Witness;

  constructor(actors: number, witness: Witness) {
    this.#actors = Array.from({ length: actors }, () => ({ read: null, item: null, mine: null }));
    this.#witness = witness;
    this.#write(0, newJob(newJobInput()));
    this.sweep();
  }

  get newest(): Stored | null {
    return this.#newest;
  }

  get now(): Date {
    return at(this.#seconds);
  }

  get items(): ReadonlyMap<number, number> {
    return this.#items;
  }

  pass(seconds: number): void {
    this.#seconds += seconds;
  }

  /** The actor reads the newest record. Until its next look it goes by that. */
  look(who: number): void {
    this.#actor(who).read = this.#newest;
  }

  /** Puts the item of the job's generation again, as the requeue sweep does; a second one is another lane's. */
  sweep(second = false): void {
    const job = this.#newest?.record;
    if (job === undefined || isOver(job)) return;
    if (second || ![...this.#items.values()].includes(job.generation)) this.#items.set(this.#next(), job.generation);
  }

  /** The actor is told to do something with the job, and goes by what it has read. */
  command(who: number, type: CommandType): void {
    const { read } = this.#actor(who);
    if (read === null || !isLive(read.record)) return;
    const { tenant, user } = read.record;
    const rules = { deadlineSeconds: POLICY.deadlineSeconds, userHash: userHash(tenant, user), archived: false };
    const decision = decide(read.record, { type, actor: "ada" }, this.now, rules);
    if (decision.kind === "change") this.#write(read.seq, decision.change);
  }

  /** An item is delivered. The actor goes by what it has read; only to ack it reads again. */
  deliver(who: number, nth: number): void {
    const item = [...this.#items.keys()][nth % Math.max(1, this.#items.size)];
    const actor = this.#actor(who);
    if (item === undefined || actor.mine !== null) return;
    actor.item = item;
    this.#handle(who, actor.read);
  }

  /** The actor goes on with its run, if it has one. */
  work(who: number, step: WorkStep): void {
    const actor = this.#actor(who);
    const { mine } = actor;
    if (mine === null || !isLive(mine.record)) return;
    if (step === "die") {
      this.#letGo(actor, false);
      return;
    }
    const stored = this.#write(mine.seq, changeOf(mine.record, step, this.now));
    if (stored === null) {
      const seen = this.#newest?.record ?? null;
      const item = this.#inHand(actor);
      this.#letGo(actor, onFenced(seen, item, { otherItemAlive: this.#otherItemAlive(seen, item.sequence) }) === "ack");
    } else if (step === "checkpoint") actor.mine = stored;
    else this.#letGo(actor, isOver(stored.record));
  }

  #handle(who: number, seen: Stored | null): void {
    const actor = this.#actor(who);
    const item = this.#inHand(actor);
    const otherItemAlive = this.#otherItemAlive(seen?.record ?? null, item.sequence);
    const facts = { now: this.now, otherItemAlive, maxCrashes: POLICY.maxCrashes };
    const verdict = onDelivery(seen?.record ?? null, item, facts);
    if (verdict.do === "ack" && seen !== this.#newest) this.#handle(who, this.#newest);
    else if (verdict.do === "ack" || verdict.do === "nak") this.#letGo(actor, verdict.do === "ack");
    else if (seen !== null && isLive(seen.record)) this.#take(who, verdict.do, seen.seq, seen.record);
  }

  #take(who: number, how: "claim" | "take-over" | "dead-letter", seq: number, record: JobRecord): void {
    const actor = this.#actor(who);
    const worker = `processor-${who}`;
    if (how === "dead-letter") {
      this.#letGo(actor, this.#write(seq, run.deadLettered(record, { worker, now: this.now })) !== null);
      return;
    }
    const id = `run-${this.#next()}`;
    const started = { id, worker, item: this.#inHand(actor).sequence, startedAt: this.now.toISOString() };
    const start = how === "claim" ? run.claim : run.takeOver;
    actor.mine = this.#write(seq, start(record, { run: started, key: `results/acme/${id}`, now: this.now }));
    if (actor.mine === null) this.#letGo(actor, false);
  }

  #actor(who: number): Actor {
    const actor = this.#actors[who % this.#actors.length];
    if (actor === undefined) throw new Error(`no actor ${who}`);
    return actor;
  }

  #inHand(actor: Actor): { sequence: number; generation: number } {
    const sequence = actor.item ?? 0;
    return { sequence, generation: this.#items.get(sequence) ?? 0 };
  }

  #otherItemAlive(seen: StoredRecord | null, mine: number): boolean {
    const item = seen !== null && isLive(seen) ? seen.run?.item : undefined;
    return item !== undefined && item !== mine && this.#items.has(item);
  }

  #letGo(actor: Actor, ack: boolean): void {
    if (ack && actor.item !== null) this.#items.delete(actor.item);
    Object.assign(actor, { item: null, mine: null });
  }

  #next(): number {
    this.#ids += 1;
    return this.#ids;
  }

  /** The one rule of the log: a write is taken if it names the sequence that is there. */
  #write(expected: number, change: Change): Stored | null {
    if (expected !== (this.#newest?.seq ?? 0)) return null;
    const before = this.#newest;
    const seq = (before?.seq ?? 0) + 1;
    const after = { seq, record: stamp(change, `w${seq}`) };
    this.#newest = after;
    this.#witness(before, after, change);
    return after;
  }
}

function changeOf(record: JobRecord, step: Exclude<WorkStep, "die">, now: Date): Change {
  const error = jobError("SOURCE_TIMEOUT", "read-source");
  const outcomes = { doneThrough: 1, exceptions: [] };
  switch (step) {
    case "checkpoint": {
      const progress = { ...record.progress, bytesDone: record.progress.bytesDone + 10 };
      return run.checkpointed(record, { checkpoint: moved(record.checkpoint), outcomes: null, progress, now });
    }
    case "complete": {
      const { result, usage } = recordIn("completed");
      if (result === null) throw new Error("no result");
      const until = { ...result, expiresAt: new Date(now.getTime() + 86_400_000).toISOString() };
      return run.completed(record, { result: until, outcomes, progress: record.progress, usage, now });
    }
    case "fail":
      return run.failed(record, { error: jobError("ALL_FILES_FAILED", "plan"), outcomes, now });
    case "try fails": {
      const settled = settle(error, record, POLICY, 0.5);
      if (settled.do === "fail") return run.failed(record, { error, now });
      return run.retrying(record, {
        error,
        retryAt: new Date(now.getTime() + settled.delayMs),
        waitsFor: null,
        now,
      });
    }
    case "wait for source":
      return run.retrying(record, { error, retryAt: new Date(now.getTime() + 30_000), waitsFor: "source", now });
    case "hand back":
      return run.handedBack(record, { now });
  }
}

function moved(checkpoint: Checkpoint | null): Checkpoint | null {
  if (checkpoint === null) return null;
  const { upload, cursor } = checkpoint;
  return {
    ...checkpoint,
    upload: { ...upload, id: upload.id ?? "U1" },
    cursor: { ...cursor, offset: cursor.offset + 10 },
  };
}
