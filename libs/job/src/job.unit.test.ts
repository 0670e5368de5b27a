import { storedRecord } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { newJob } from "./job.ts";
import { newJobInput, specOf, T0, written } from "./testing/index.ts";

const input = newJobInput();

test("a new job is queued in its first generation, and nothing has happened to it", () => {
  const change = newJob(input);

  expect(change.type).toBe("download.requested.v1");
  expect(change.record).toMatchObject({
    id: input.id,
    tenant: "acme",
    user: "ada.lovelace",
    tier: "basic",
    status: "queued",
    generation: 1,
    failures: 0,
    crashes: 0,
    run: null,
    startedAt: null,
    createdAt: T0.toISOString(),
    updatedAt: T0.toISOString(),
    deadlineAt: "2026-03-08T12:00:00.000Z",
    named: false,
    progress: { filesTotal: 1, filesDone: 0, bytesTotal: null, bytesDone: 0, phase: "waiting" },
  });
  expect(storedRecord.safeParse(written(change)).success).toBe(true);
});

test("a job whose list of files lies in object storage has named a key from the beginning", () => {
  const ref = { key: "payload/acme/x/y", sha256: "aa", sizeBytes: 9 };
  const spec = specOf({ fileIds: null, ref, filesTotal: 50_000 });

  expect(newJob({ ...input, spec }).record).toMatchObject({ named: true, progress: { filesTotal: 50_000 } });
});
