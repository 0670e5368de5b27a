import type { JobRecord, PlanEntry, Progress } from "@longhaul/contracts";
import { ObjectsError } from "@longhaul/objects";
import { systemClock, systemRandom } from "@longhaul/runtime";
import { expect, test } from "vitest";
import { recordIn, specOf } from "../../../../libs/job/src/testing/index.ts";
import { JobFailure } from "../job/job-failure.ts";
import type { PlannedFile, Source } from "../source/source.ts";
import { outcomesToKeep, planFiles, planToKeep } from "./plan.ts";
import { RecordLists } from "./record-lists.ts";

const MODIFIED_AT = new Date("2026-01-02T03:04:06.000Z");
const IDS = Array.from({ length: 60 }, (_, i) => 70_000 + i);
const { signal } = new AbortController();
const never = () => Promise.reject(new Error("nobody asks for this"));
const lists = new RecordLists({ put: never, get: never });

const jobOf = (changes: Partial<JobRecord> = {}): JobRecord =>
  recordIn("running", { spec: specOf({ fileIds: IDS }), ...changes });

/** Every third file is missing; `most`: the most that were looked up at a time. */
class Files implements Source {
  open = () => {
    throw new Error("nobody reads");
  };
  most = 0;
  #now = 0;

  async find(fileId: number): Promise<PlannedFile> {
    this.most = Math.max(this.most, ++this.#now);
    // The later a file was asked for the sooner it is found.
    await systemClock.sleep((fileId % 5) * 2);
    this.#now -= 1;
    if (fileId % 3 === 0) throw new JobFailure({ stage: "plan", code: "FILE_NOT_FOUND", fileId });
    const [name, etag] = [`${fileId}.bin`, `"${fileId}"`];
    return { fileId, name, sizeBytes: fileId, etag, crc32: null, modifiedAt: MODIFIED_AT };
  }
}

async function plan(record: JobRecord, source: Source = new Files(), of: RecordLists = lists) {
  const reports: Progress[] = [];
  const limits = { fileMaxBytes: 1e6, jobMaxBytes: 1e9, fileTries: 1, retryBaseMs: 1 };
  const deps = { ...limits, source, lists: of, clock: systemClock, random: systemRandom };
  const planned = await planFiles(record, { signal, report: (it) => reports.push(it) }, deps);
  return { planned, reports };
}

const plain = ({ fileId, name, sizeBytes, etag, crc32, modifiedAt }: PlannedFile) => ({
  ...{ fileId, name, sizeBytes, etag, crc32, modifiedAt },
});

test("files are looked up sixteen at a time, kept in the order asked for, and told of meanwhile", async () => {
  const source = new Files();
  const { planned, reports } = await plan(jobOf(), source);
  expect(source.most).toBe(16);
  const present = IDS.filter((id) => id % 3 !== 0);
  expect(planned.present.map(plain)).toEqual(
    present.map((id) => ({
      ...{ fileId: id, name: `${id}.bin`, sizeBytes: id, etag: `"${id}"`, crc32: null, modifiedAt: MODIFIED_AT },
    })),
  );
  expect(planned.missing).toEqual(
    IDS.flatMap((fileId, index) => (fileId % 3 === 0 ? [{ index, fileId, code: "FILE_NOT_FOUND" }] : [])),
  );
  expect(planned.bytesTotal).toBe(present.reduce((sum, id) => sum + id, 0));
  expect(reports).toHaveLength(IDS.length);
  expect(new Set(reports.map(({ phase }) => phase))).toEqual(new Set(["planning"]));
  expect(reports.at(-1)?.filesFailed).toBeGreaterThan(10);
});

test("a plan that was kept says the same again, without a look at any file", async () => {
  const record = jobOf();
  const { planned } = await plan(record);
  const kept = await planToKeep(record, planned, lists, signal);
  expect(kept).toMatchObject({ ref: null, filesMissing: 20, bytesTotal: planned.bytesTotal });
  expect(kept.entries?.slice(0, 3)).toEqual([
    ["70000.bin", 70_000, '"70000"', null, MODIFIED_AT.getTime()],
    ["70001.bin", 70_001, '"70001"', null, MODIFIED_AT.getTime()],
    "FILE_NOT_FOUND",
  ]);
  const again = await plan(jobOf({ plan: kept }), { find: never, open: new Files().open });
  expect(again.planned.present.map(plain)).toEqual(planned.present.map(plain));
  expect(again.planned.missing).toEqual(planned.missing);
  expect(await planToKeep(jobOf({ plan: kept }), again.planned, lists, signal)).toBe(kept);
  expect(await outcomesToKeep(record, planned, lists, signal)).toMatchObject({
    doneThrough: 60,
    exceptions: planned.missing.map(({ index, code }) => [index, code]),
  });
});

test("a look-up that fails stops the others, and nothing is looked up behind its back", async () => {
  let [begun, running] = [0, 0];
  const source: Source = {
    open: new Files().open,
    async find(fileId, stopped) {
      begun += 1;
      running += 1;
      await systemClock.sleep(fileId === IDS[0] ? 5 : 600_000, stopped).finally(() => {
        running -= 1;
      });
      throw new JobFailure({ stage: "plan", code: "SOURCE_TIMEOUT" });
    },
  };
  await expect(plan(jobOf(), source)).rejects.toMatchObject({ code: "SOURCE_TIMEOUT" });
  expect([begun, running]).toEqual([16, 0]);
});

test("a plan of 100,000 files keeps every file in its place, whichever of them are missing", async () => {
  const filesTotal = 100_000;
  const file = { name: "a", sizeBytes: 1, etag: null, crc32: null, modifiedAt: MODIFIED_AT };
  const isThere = (index: number) => index % 10 === 5;
  const indices = Array.from({ length: filesTotal }, (_, i) => i);
  const planned = {
    present: indices.filter(isThere).map((fileId) => ({ fileId, ...file })),
    missing: indices
      .filter((index) => !isThere(index))
      .map((index) => ({ index, fileId: index, code: "FILE_NOT_FOUND" as const })),
    bytesTotal: filesTotal / 10,
    isPlannedAnew: false,
  };
  const kept: unknown[] = [];
  const put = async (_: unknown, list: unknown) => {
    kept.push(list);
    return { key: "payload/acme/1/a", sha256: "", sizeBytes: 1 };
  };
  await planToKeep(jobOf(), planned, new RecordLists({ put, get: never }), signal);
  const entries = kept[0] as PlanEntry[];
  expect(entries).toHaveLength(filesTotal);
  expect(entries.findIndex((entry, index) => isThere(index) === (typeof entry === "string"))).toBe(-1);
});

test("a plan that is lost is made again, and said to be another", async () => {
  const ref = { key: "payload/acme/1/a", sha256: "", sizeBytes: 1 };
  const lost = jobOf({ plan: { entries: null, ref, filesMissing: 0, bytesTotal: 1 } });
  const gone = () => Promise.reject(new ObjectsError("gone", { code: "NOT_FOUND" }));
  const { planned } = await plan(lost, new Files(), new RecordLists({ put: never, get: gone }));
  expect(planned).toMatchObject({ isPlannedAnew: true, bytesTotal: (await plan(jobOf())).planned.bytesTotal });
  const away = () => Promise.reject(new ObjectsError("away", { code: "UNAVAILABLE" }));
  const failing = plan(lost, new Files(), new RecordLists({ put: never, get: away }));
  await expect(failing).rejects.toMatchObject({ code: "S3_UPLOAD_FAILED" });
});

test("a plan of other files than the job's is nobody's", async () => {
  const other = { entries: [], ref: null, filesMissing: 0, bytesTotal: 0 };
  await expect(plan(jobOf({ plan: other }))).rejects.toThrow("0 entries for 60 files");
});
