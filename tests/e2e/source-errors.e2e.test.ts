import type { StoredRecord } from "@longhaul/contracts";
import { inParallel } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBothSides } from "../support/both-sides.ts";
import { createDownload } from "../support/download-client.ts";
import { type JobHistories, openHistories } from "../support/job-histories.ts";
import { consumersOf, leftovers } from "../support/leftovers.ts";
import { scaled } from "../support/scale.ts";
import type { SourceCall, Treatment } from "../support/source-proxy.ts";
import { type SourceStack, startSourceStack } from "../support/source-stack.ts";
import { until } from "../support/until.ts";

const JOBS = scaled({ short: 1_000, full: 10_000 });
const WIDTH = 50;
const ENDS_WITHIN_MS = scaled({ short: 100_000, full: 840_000 });
/** Calls of the storage client that make one failed try of a look-up, and tries of a job. */
const CALLS_PER_TRY = 3;
const MAX_ATTEMPTS = 3;

const GOOD = { firstId: 70_000, files: 20, sizeBytes: 20_000 };
/** Two of them are more than fits in one request, so that an upload is begun. */
const LARGE = { firstId: 71_000, files: 2, sizeBytes: 3_000_000 };
/** Each troubled job has a file of its own: how often that one was asked for is how often the job was tried. */
const TROUBLED = { firstId: 100_000, sizeBytes: 20_000 };
const ABSENT_FROM = 500_000;

/** What is wrong with a source, and what the failure table makes of it. */
type Trouble = {
  /** What the proxy does to the calls for the job's own file. */
  treat: (call: SourceCall) => Treatment;
  absent?: true;
  /** The files beside it. */
  beside: number[];
  ends: { status: "completed" | "failed"; partial?: boolean; code?: string; failures: number };
};

const passes: Trouble["treat"] = () => "pass";
const lookUpFails =
  (tries: number): Trouble["treat"] =>
  ({ method, nth }) =>
    method === "HEAD" && nth <= tries * CALLS_PER_TRY ? 500 : "pass";
const refused: Trouble["treat"] = () => 403;
const readBreaks =
  (tries: number): Trouble["treat"] =>
  ({ method, nth }) =>
    method === "GET" && nth <= tries ? "cut off" : "pass";
const small = [GOOD.firstId, GOOD.firstId + 1];
const large = [LARGE.firstId, LARGE.firstId + 1];
const completed = (failures: number): Trouble["ends"] => ({ status: "completed", partial: false, failures });
const gaveUp = (code: string): Trouble["ends"] => ({ status: "failed", code, failures: MAX_ATTEMPTS });

const PERMANENT: Trouble[] = [
  { treat: passes, absent: true, beside: [], ends: { status: "failed", code: "FILE_NOT_FOUND", failures: 0 } },
  { treat: refused, beside: [], ends: { status: "failed", code: "PERMISSION_DENIED", failures: 0 } },
  { treat: passes, absent: true, beside: small, ends: { status: "completed", partial: true, failures: 0 } },
  { treat: refused, beside: large, ends: { status: "completed", partial: true, failures: 0 } },
  { treat: passes, absent: true, beside: [99_999], ends: { status: "failed", code: "ALL_FILES_FAILED", failures: 0 } },
];
const TRANSIENT: Trouble[] = [
  { treat: lookUpFails(1), beside: [], ends: completed(1) },
  { treat: lookUpFails(1), beside: [], ends: completed(1) },
  { treat: lookUpFails(2), beside: [], ends: completed(2) },
  { treat: lookUpFails(MAX_ATTEMPTS), beside: [], ends: gaveUp("SOURCE_UNAVAILABLE") },
  { treat: lookUpFails(2), beside: small, ends: completed(2) },
  { treat: readBreaks(1), beside: small, ends: completed(1) },
  { treat: readBreaks(2), beside: large, ends: completed(2) },
  { treat: readBreaks(MAX_ATTEMPTS), beside: small, ends: gaveUp("SOURCE_UNAVAILABLE") },
  { treat: readBreaks(MAX_ATTEMPTS), beside: large, ends: gaveUp("SOURCE_UNAVAILABLE") },
];

type Planned = { fileIds: number[]; ends: Trouble["ends"] };

const troubles = new Map<number, Trouble>();

/** Of a hundred jobs one has a permanent error and five have one that may pass; every tenth of the rest is an archive. */
function plan(index: number): Planned {
  const hundred = Math.floor(index / 100);
  const place = index % 100;
  const trouble =
    place === 50
      ? PERMANENT[hundred % PERMANENT.length]
      : place % 20 === 7
        ? TRANSIENT[(5 * hundred + Math.floor(place / 20)) % TRANSIENT.length]
        : undefined;
  if (!trouble) {
    const fileId = GOOD.firstId + (index % GOOD.files);
    return { fileIds: index % 10 === 0 ? [...new Set([fileId, ...small])] : [fileId], ends: completed(0) };
  }
  const fileId = (trouble.absent ? ABSENT_FROM : TROUBLED.firstId) + index;
  troubles.set(fileId, trouble);
  return { fileIds: [...trouble.beside, fileId], ends: trouble.ends };
}

const JOBS_PLANNED = Array.from({ length: JOBS }, (_, index) => plan(index));

let sources: SourceStack;
let histories: JobHistories;

beforeAll(async () => {
  sources = await startSourceStack((call) => troubles.get(call.fileId)?.treat(call) ?? "pass", {
    env: {
      MAX_ATTEMPTS: `${MAX_ATTEMPTS}`,
      FILE_TRIES: "1",
      // When by chance many broken sources come one after the other a breaker is right to open: not what this is about.
      BREAKER_ERROR_PERCENT: "99",
      BREAKER_MIN_CALLS: "1000",
      // A slow machine is no broken source.
      S3_CALL_TIMEOUT_MS: "30000",
      WATCH_IDLE_MS: "1000",
    },
    counts: { processor: 2 },
  });
  const { stack } = sources;
  for (const { firstId, files, sizeBytes } of [GOOD, LARGE]) await stack.seed(firstId, files, sizeBytes);
  const own = [...troubles.keys()].filter((fileId) => fileId < ABSENT_FROM);
  await inParallel(own, 8, (fileId) => stack.seed(fileId, 1, TROUBLED.sizeBytes));
  histories = await openHistories(stack.run().nats.url);
});
afterAll(async () => {
  await histories?.close();
  await sources?.dispose();
});

test(`of ${JOBS} jobs, 1 % of them with permanent and 5 % with passing errors, each ends as the failure table says`, async () => {
  const { stack } = sources;
  const consumers = await consumersOf(stack.run());
  const since = performance.now();
  const ids: string[] = [];
  await inParallel(Array(JOBS).keys(), WIDTH, async (index) => {
    const { status, body } = await createDownload(stack.baseUrl, JOBS_PLANNED[index]?.fileIds ?? []);
    expect(status).toBe(202);
    ids[index] = body.id;
  });
  const createdMs = performance.now() - since;
  const hasEnded = (id: string) => ["completed", "failed"].includes(histories.of(id).at(-1)?.status ?? "");
  await until("every job to end", () => ids.every(hasEnded), ENDS_WITHIN_MS);
  const endedMs = performance.now() - since;

  const { views, records } = await until(
    "every view to be as new as its record",
    async () => {
      const both = await readBothSides(stack.run(), ids);
      return ids.every((id) => both.views.get(id)?.seq === both.records.get(id)?.seq) && both;
    },
    60_000,
  );
  expect(ids.flatMap((id, index) => wrongEnd(records.get(id)?.record, JOBS_PLANNED[index]) ?? [])).toEqual([]);
  for (const id of ids) expect(views.get(id)?.record).toEqual(records.get(id)?.record);
  expect(histories.broken()).toEqual([]);

  const ended = [...records.values()].map(({ record }) => record);
  const left = () => leftovers(stack.run(), ended);
  const nothingLeft = async () => (await left()).length === 0;
  await until("nothing to be left behind", nothingLeft, 60_000).catch(async () => expect(await left()).toEqual([]));
  expect(await consumersOf(stack.run())).toEqual(consumers);
  console.log(
    `${JOBS} jobs: created in ${(createdMs / 1000).toFixed(1)} s, all ended after ${(endedMs / 1000).toFixed(1)} s`,
  );
});

/** What is wrong with how a job ended; null = nothing. */
function wrongEnd(record: StoredRecord | undefined, planned: Planned | undefined): string | null {
  if (!record || record.status === "erased" || !planned) return "it is not there";
  const { status, failures, result, error, timeline } = record;
  const is = {
    status,
    failures,
    ...(result ? { partial: result.partial } : {}),
    ...(status === "failed" && error ? { code: error.code } : {}),
  };
  const tries = timeline.filter(({ event }) => event === "started").length;
  const lastFails = status === "failed" && failures > 0 ? 1 : 0;
  const expectedTries = planned.ends.failures + 1 - lastFails;
  const same = Object.entries(planned.ends).every(([name, value]) => is[name as keyof typeof is] === value);
  if (same && tries === expectedTries) return null;
  return `${record.id} (${planned.fileIds}): ${JSON.stringify({ ...is, tries })}, not ${JSON.stringify(planned.ends)}`;
}
