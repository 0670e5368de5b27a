import { connectBus, createCore, type StoredMessage } from "@longhaul/bus";
import type { EventType, StoredRecord } from "@longhaul/contracts";
import { createLogger } from "@longhaul/runtime";

/** One stored write of a job. */
export type Write = { seq: number; type: EventType; status: StoredRecord["status"]; generation: number };

/** Every stored write of every job since it was opened, apart from the code under test's own idea of what happened. */
export type JobHistories = {
  of(id: string): readonly Write[];
  /** What no job may do, of all jobs; empty when all is well. */
  broken(): string[];
  close(): Promise<void>;
};

/** `onWrite`: is told of each write, with its whole record. */
export async function openHistories(
  natsUrl: string,
  onWrite: (stored: StoredMessage) => void = () => {},
): Promise<JobHistories> {
  const log = createLogger("histories", "error");
  const bus = await connectBus({ servers: [natsUrl], name: "test-histories", log });
  const histories = new Map<string, Write[]>();
  createCore(bus, log).subscribeStored("*", (stored) => {
    const { seq, type, record } = stored;
    const writes = histories.get(record.id) ?? [];
    histories.set(record.id, writes);
    writes.push({ seq, type, status: record.status, generation: record.generation });
    onWrite(stored);
  });
  await bus.ping(5_000);
  return {
    of: (id) => histories.get(id) ?? [],
    broken: () => [...histories].flatMap(([id, writes]) => brokenRules(writes).map((what) => `${id}: ${what}`)),
    close: () => bus.close(),
  };
}

const ENDS: ReadonlySet<string> = new Set(["completed", "failed", "cancelled", "expired"]);
/** From where a new generation may begin. */
const BEGINS_AGAIN: ReadonlySet<string> = new Set(["paused", "failed", "cancelled"]);
/** What may follow a paused job in its generation. */
const AFTER_PAUSE: ReadonlySet<string> = new Set(["cancelled", "expired", "erased"]);

/** The rules of a job's life, as the state diagram has them. */
export function brokenRules(writes: readonly Write[]): string[] {
  const story = () => writes.map(({ seq, status, generation }) => `${seq} ${status}/${generation}`).join(", ");
  const [first] = writes;
  const faults = writes.slice(1).flatMap((write, i) => wrongStep(writes[i] as Write, write) ?? []);
  if (first && (first.status !== "queued" || first.generation !== 1)) faults.unshift("it does not begin as a new job");
  return faults.map((fault) => `${fault}: ${story()}`);
}

function wrongStep(before: Write, after: Write): string | null {
  if (after.seq <= before.seq) return `version ${after.seq} comes after ${before.seq}`;
  if (before.status === "erased") return "something is written after it was erased";
  if (after.status === "erased") return null;
  if (after.generation === before.generation + 1) {
    return after.status === "queued" && BEGINS_AGAIN.has(before.status) ? null : "a generation begins where none can";
  }
  if (after.generation !== before.generation) return "generations do not rise by one";
  if (before.status === "completed" && after.status === "expired") return null;
  if (ENDS.has(before.status)) return `generation ${before.generation} goes on after its end`;
  if (before.status === "paused" && !AFTER_PAUSE.has(after.status)) return "a paused job goes on without being resumed";
  return null;
}
