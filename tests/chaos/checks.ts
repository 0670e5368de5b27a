import type { StoredRecord } from "@longhaul/contracts";
import type { Accepted, Answered, Ledger, SeenEnd } from "./ledger.ts";

/** What is found when everything has come to rest. */
export type Findings = {
  /** The newest record of each accepted job that is there. */
  records: ReadonlyMap<string, { seq: number; record: StoredRecord }>;
  /** Each accepted job's view: its sequence, and the write that it shows. */
  views: ReadonlyMap<string, { seq: number; writeId: string }>;
  /** Work items that are left. */
  itemsLeft: number;
  /** Uploads and objects that are there and that no record names. */
  unnamed: readonly string[];
  /** What is held that nobody needs any more. */
  leaks: readonly string[];
  /** Messages in DEADLETTERS, and how many had to come there at least. */
  deadLetters: number;
  poison: number;
};

/** A promise that was broken; `job`: null = none in particular. */
export type Broken = { job: string | null; what: string };

/** Everything that is wrong with what was found, measured by what was promised. */
export function brokenPromises(
  { accepted, answered, ends, oddAnswers }: Pick<Ledger, "accepted" | "answered" | "ends" | "oddAnswers">,
  found: Findings,
): Broken[] {
  const broken: Broken[] = [...accepted.values()].flatMap((job) => {
    const newest = found.records.get(job.id);
    if (!newest) return { job: job.id, what: "lost: it was answered with 202, and there is no record of it" };
    const whats = [
      ...stuck(newest.record),
      ...doubled(ends.get(job.id) ?? new Map()),
      ...overruled(ends.get(job.id) ?? new Map(), newest),
      ...(answered.get(job.id) ?? []).flatMap((answer) => forgotten(answer, newest)),
      ...otherwiseEnded(job, newest.record),
      ...(isViewRight(newest, found.views.get(job.id)) ? [] : ["its view is not what its record is"]),
    ];
    return whats.map((what) => ({ job: job.id, what }));
  });
  broken.push(...oddAnswers.map((what) => ({ job: null, what })));
  if (accepted.size === 0) broken.push({ job: null, what: "nothing was promised, so nothing was tested" });
  if (found.itemsLeft > 0) broken.push({ job: null, what: `leaked: ${found.itemsLeft} work items are left` });
  broken.push(...found.leaks.map((what) => ({ job: null, what: `leaked: ${what}` })));
  broken.push(...found.unnamed.map((what) => ({ job: null, what: `leaked: no record names the ${what}` })));
  if (found.deadLetters < found.poison) {
    const what = `lost: of ${found.poison} unreadable messages ${found.deadLetters} are in DEADLETTERS`;
    broken.push({ job: null, what });
  }
  return broken;
}

/** The view shows the newest write, and of an erased job nothing at all. */
export function isViewRight(
  { seq, record }: { seq: number; record: StoredRecord },
  view: { seq: number; writeId: string } | undefined,
): boolean {
  if (record.status === "erased") return view === undefined;
  return view?.seq === seq && view.writeId === record.writeId;
}

function stuck({ status, generation }: StoredRecord): string[] {
  return status === "queued" || status === "running" ? [`stuck: still ${status} in generation ${generation}`] : [];
}

/** Erasing and the expiry of a completed job come after the end. */
const comesAfter = (status: string, before: string) =>
  status === "erased" || (status === "expired" && before === "completed");

function doubled(ends: ReadonlyMap<number, readonly SeenEnd[]>): string[] {
  return [...ends].flatMap(([generation, seen]) => {
    const inOrder = seen.toSorted((a, b) => a.seq - b.seq);
    const isDouble = inOrder.some(({ status }, i) => {
      const before = inOrder[i - 1];
      return before !== undefined && !comesAfter(status, before.status);
    });
    const list = inOrder.map(({ status, seq }) => `${status} (version ${seq})`).join(", ");
    return isDouble ? [`doubled: generation ${generation} ended ${seen.length} times: ${list}`] : [];
  });
}

function overruled(
  ends: ReadonlyMap<number, readonly SeenEnd[]>,
  { seq, record }: { seq: number; record: StoredRecord },
): string[] {
  const seen = ends.get(record.generation)?.toSorted((a, b) => b.seq - a.seq)[0];
  if (!seen || seen.seq === seq || (seen.seq < seq && comesAfter(record.status, seen.status))) return [];
  return [`lost: it ended as ${seen.status} (version ${seen.seq}), and is now ${record.status} (version ${seq})`];
}

function forgotten(answer: Answered, { seq, record }: { seq: number; record: StoredRecord }): string[] {
  const said = `${answer.command} was answered with ${answer.status} (version ${answer.seq})`;
  if (seq < answer.seq) return [`lost: ${said}, and its record is version ${seq}`];
  if (answer.generation < record.generation || record.status === "erased") return [];
  const isEnd = answer.status === "cancelled" || answer.status === "erased";
  return isEnd && record.status !== answer.status ? [`lost: ${said}, and it is now ${record.status}`] : [];
}

function otherwiseEnded({ ask }: Accepted, record: StoredRecord): string[] {
  const expected = ask.expected === "failed" ? "failed" : "completed";
  if (record.status !== "completed" && record.status !== "failed") return [];
  // Files that move all the time may be others in each of its tries, which then are used up.
  if (ask.kind === "moving files" && record.error?.code === "SOURCE_CHANGED") return [];
  const why = record.error ? ` (${record.error.code} in ${record.error.stage})` : "";
  if (record.status !== expected) return [`it is ${record.status}${why}, and should be ${expected}: ${ask.kind}`];
  const isPartial = record.result?.partial === true;
  return isPartial === (ask.expected === "partial") ? [] : [`its result is partial: ${isPartial}, for ${ask.kind}`];
}
