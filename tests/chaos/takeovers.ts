/** A job whose processor was killed while it ran it. */
export type Bereaved = {
  id: string;
  /** The run that died. */
  run: string;
  /** By the ledger's clock, milliseconds. */
  atMs: number;
  how: string;
  /** Other processors that said just after the kill that they were ready; null = not known yet. */
  othersReady: number | null;
};

/** What was away, or which other process was hit, and from when to when by the ledger's clock. */
export type Trouble = { with: "NATS" | "S3" | "another processor"; fromMs: number; toMs: number };

/** A stored write that is no checkpoint. */
export type Write = { type: string; run: string | null; atMs: number };

export type Takeover = Bereaved & {
  /** From the kill to the record's write by the next run, milliseconds. */
  tookMs: number;
  /** What else was wrong meanwhile, so that no time is promised. */
  excuses: string[];
};

/**
 * How long each bereaved job waited for its next run. A job that ended or was stopped by its user before that is left
 * out: nobody has to take it over. `boundMs`: as long as this after the kill other troubles count as an excuse.
 */
export function takeoversOf(
  bereaved: readonly Bereaved[],
  writes: ReadonlyMap<string, readonly Write[]>,
  troubles: readonly Trouble[],
  boundMs: number,
): Takeover[] {
  return bereaved.flatMap((job) => {
    // What the dying run wrote may be heard of only after the kill.
    const next = writes.get(job.id)?.find(({ atMs, run }) => atMs > job.atMs && run !== job.run);
    if (next?.type !== "download.started.v1") return [];
    const endMs = job.atMs + Math.min(next.atMs - job.atMs, boundMs);
    const met = troubles.filter(({ fromMs, toMs }) => fromMs !== job.atMs && fromMs <= endMs && toMs >= job.atMs);
    const excuses = new Set(met.map((trouble) => `${trouble.with} away`));
    if (job.othersReady === 0) excuses.add("no other processor ready");
    return [{ ...job, tookMs: next.atMs - job.atMs, excuses: [...excuses] }];
  });
}
