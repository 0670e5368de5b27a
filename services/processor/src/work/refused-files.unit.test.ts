import { systemClock, systemRandom } from "@longhaul/runtime";
import { expect, test } from "vitest";
import { recordIn, specOf } from "../../../../libs/job/src/testing/index.ts";
import { JobFailure } from "../job/job-failure.ts";
import type { PlannedFile, Source } from "../source/source.ts";
import type { PlannedFiles } from "./plan.ts";
import { RecordLists } from "./record-lists.ts";
import { withoutRefused } from "./refused-files.ts";

const { signal } = new AbortController();
const never = () => Promise.reject(new Error("nobody asks for this"));
const IDS = Array.from({ length: 40 }, (_, i) => 70_000 + i);
const record = recordIn("running", { spec: specOf({ fileIds: IDS }) });
const planned: PlannedFiles = {
  present: IDS.map((fileId) => ({
    ...{ fileId, name: `${fileId}.bin`, sizeBytes: 1, etag: null, crc32: null, modifiedAt: new Date(0) },
  })),
  missing: [],
  bytesTotal: IDS.length,
  isPlannedAnew: false,
};
const refusal = new JobFailure({ stage: "read-source", code: "PERMISSION_DENIED", fileId: 70_000 });

/** What is left when this is how every other file is opened. */
function left(firstBytes: (file: PlannedFile, stopped: AbortSignal) => Promise<Uint8Array>): Promise<PlannedFiles> {
  const source: Source = {
    find: never,
    async *open(file, _, stopped) {
      yield await firstBytes(file, stopped);
    },
  };
  const lists = new RecordLists({ put: never, get: never });
  const deps = { source, lists, fileTries: 3, retryBaseMs: 600_000, clock: systemClock, random: systemRandom };
  return withoutRefused(planned, refusal, record, { signal, report: () => {} }, deps);
}

test("whatever is refused like the first goes, too", async () => {
  const { present, missing, bytesTotal } = await left(async ({ fileId }) => {
    if (fileId === 70_039) throw new JobFailure({ stage: "read-source", code: "INVALID_FILE_ID", fileId });
    return new Uint8Array(1);
  });
  expect([present.length, bytesTotal]).toEqual([38, 38]);
  expect(missing).toEqual([
    { index: 0, fileId: 70_000, code: "PERMISSION_DENIED" },
    { index: 39, fileId: 70_039, code: "INVALID_FILE_ID" },
  ]);
});

test("what cannot be asked stops the others, also those that wait for their next try", async () => {
  const asking = left(async ({ fileId }, stopped) => {
    const isFirst = fileId === 70_001;
    if (isFirst) await systemClock.sleep(5, stopped);
    else if (fileId % 2 === 0) await systemClock.sleep(600_000, stopped);
    const waitsFor = isFirst ? "source" : null;
    throw new JobFailure({ stage: "read-source", code: "SOURCE_UNAVAILABLE", fileId, waitsFor });
  });
  await expect(asking).rejects.toMatchObject({ fileId: 70_001, waitsFor: "source" });
});
