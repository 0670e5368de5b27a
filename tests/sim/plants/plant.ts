/**
 * A defect to be planted: in `file` the text `find`, which must be there exactly once, becomes `replace`. Production code
 * has no switch for it; the text is replaced while the module is loaded (load-plant.ts).
 */
export type Plant = { name: string; file: string; find: string; replace: string };

/** The source with the plant in it. @throws Error when its text is not there exactly once: it would prove nothing */
export function plantInto(source: string, { name, file, find, replace }: Plant): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const times = source.split(find).length - 1;
    throw new Error(`The text of plant ${name} is ${times} times in ${file}, and not once: mend the plant.`);
  }
  return before + replace + after;
}

/** What the simulation must find. */
export const PLANTS: readonly Plant[] = [
  {
    name: "cleanup-reads-before-it-lists",
    file: "services/processor/src/housekeeping/cleanup.ts",
    find: "  const uploads: Upload[] = [];",
    replace: `  const early = await deps.jobs.newest(id);
  deps = { ...deps, jobs: { newest: () => Promise.resolve(early) } };
  const uploads: Upload[] = [];`,
  },
  {
    name: "always-ack-when-fenced",
    file: "services/processor/src/job/run.ts",
    find: 'if (onFenced(newest, delivery, { otherItemAlive: alive }) === "ack") slot.ack();',
    replace: "slot.ack();",
  },
  {
    name: "store-touched-when-fenced",
    file: "services/processor/src/work/in-parts.ts",
    find: "await context.checkpoint({ checkpoint: nothingUploaded({ key, id, partSize }) });",
    replace: "await context.checkpoint({ checkpoint: nothingUploaded({ key, id, partSize }) }).catch(() => {});",
  },
  {
    name: "no-read-back-of-an-unanswered-write",
    file: "libs/bus/src/put-once.ts",
    find: "const current = await readBack();",
    replace: 'if (unanswered) return { kind: "conflict", current: null };\n      const current = await readBack();',
  },
  {
    name: "no-requeue-sweep",
    file: "services/processor/src/housekeeping/requeue.ts",
    find: 'if ((await items.put(record as JobRecord)) === "sent") tally.requeued();',
    replace: "",
  },
  {
    name: "small-result-put-to-an-inherited-key",
    file: "libs/job/src/run.ts",
    find: "if (record.checkpoint?.upload.id) return",
    replace: "if (record.checkpoint) return",
  },
  {
    name: "upload-made-before-its-key-is-named",
    file: "services/processor/src/work/archive-job.ts",
    find: "await context.checkpoint({ checkpoint: nothingUploaded({ key, id: null, partSize: 0 }) });",
    replace: "",
  },
  {
    name: "key-deleted-although-the-completed-job-names-it",
    file: "libs/job/src/named.ts",
    find: '...(status === "completed" && result?.key ? [result.key] : []),',
    replace: "",
  },
  {
    name: "end-keeps-the-checkpoint",
    file: "libs/job/src/end.ts",
    find: "    checkpoint: null,\n",
    replace: "",
  },
  {
    name: "run-kept-on-pause",
    file: "libs/job/src/commands.ts",
    find: 'status: "paused", run: null,',
    replace: 'status: "paused",',
  },
  {
    name: "named-forgotten",
    file: "libs/job/src/named.ts",
    find: "const named = record.named || checkpoint",
    replace: "const named = checkpoint",
  },
  {
    name: "completed-job-still-names-its-upload",
    file: "libs/job/src/run.ts",
    find: "    result: input.result,\n",
    replace: "    result: input.result,\n    checkpoint: record.checkpoint,\n",
  },
  {
    name: "no-orphan-sweep",
    file: "services/processor/src/housekeeping/orphans.ts",
    find: "for (const listing of [...this.#listings]) {",
    replace: "for (const listing of []) {",
  },
  {
    name: "keys-not-deleted-with-their-uploads",
    file: "libs/job/src/leftovers.ts",
    find: "new Set([...uploads.map(({ key }) => key), ...found.objects])",
    replace: "new Set(found.objects)",
  },
  {
    name: "list-of-files-deleted-although-the-job-names-it",
    file: "libs/job/src/named.ts",
    find: "...refsIn(spec.ref, plan?.ref, outcomes",
    replace: "...refsIn(plan?.ref, outcomes",
  },
  {
    name: "plan-read-back-with-other-files",
    file: "services/processor/src/work/plan.ts",
    find: "new SmallFile(fileIds[i] ?? 0, entry)",
    replace: "new SmallFile(fileIds[0] ?? 0, entry)",
  },
  {
    name: "part-believed-that-no-checkpoint-names",
    file: "services/processor/src/work/believed-parts.ts",
    find: "const stored = Map.groupBy(listed,",
    replace: `const all = new Map(listed.map((it) => [it.number, [it.number, it.etag, it.crc32 ?? "00000000", "00000000"]]));
  for (const part of named) all.set(part[0], part);
  named = [...all.values()];
  const stored = Map.groupBy(listed,`,
  },
  {
    name: "refused-claim-takes-over-a-run-it-had-not-seen",
    file: "services/processor/src/job/admission.ts",
    find: "if (round > 0 && run !== null && run !== firstRun) return null;",
    replace: "",
  },
  {
    name: "archived-job-can-be-retried",
    file: "libs/job/src/commands.ts",
    find: 'const closed = command.type === "retry" && rules.archived;',
    replace: "const closed = false;",
  },
  {
    name: "expires-what-is-not-due",
    file: "libs/job/src/commands.ts",
    find: "return isDue(record, now) ? change(",
    replace: 'return isDue(record, now) || record.status !== "expired" ? change(',
  },
  {
    name: "expired-job-still-names-its-result",
    file: "libs/job/src/named.ts",
    find: '...(status === "completed" && result?.key',
    replace: '...((status === "completed" || status === "expired") && result?.key',
  },
  {
    name: "paused-job-leaves-the-stream",
    file: "libs/job/src/retention.ts",
    find: "if (isUnfinished(record.status)) return null;",
    replace: 'if (record.status === "queued" || record.status === "running") return null;',
  },
  {
    name: "key-of-an-archived-job-begins-anew",
    file: "services/gateway/src/downloads/create.ts",
    find: "if (!isUnfinished(view.status)) return view;",
    replace: "if (!isUnfinished(view.status)) return null;",
  },
  {
    name: "key-of-a-deleted-job-is-given-again",
    file: "services/gateway/src/downloads/create.ts",
    find: 'if ("erased" in view) return "erased";',
    replace: 'if ("erased" in view) return null;',
  },
  {
    name: "body-of-a-repeat-is-not-compared",
    file: "services/gateway/src/downloads/create.ts",
    find: "if (record.bodyHash !== hash) {",
    replace: 'if (record.bodyHash === "") {',
  },
  {
    name: "waiting-for-a-store-uses-up-a-try",
    file: "libs/job/src/run.ts",
    find: "(input.waitsFor ? 0 : 1)",
    replace: "1",
  },
  {
    name: "archived-job-is-not-found",
    file: "services/gateway/src/downloads/control.ts",
    find: 'if (view === null || "erased" in view) return null;',
    replace: "return null;",
  },
];
