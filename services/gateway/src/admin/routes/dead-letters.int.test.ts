import { randomUUID } from "node:crypto";
import { createWorkQueue } from "@longhaul/bus";
import { type JobRecord, workSubject } from "@longhaul/contracts";
import { failed, jobError } from "@longhaul/job";
import { createLogger, systemClock, systemRandom } from "@longhaul/runtime";
import { viewOf } from "@longhaul/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startOwnGateway } from "../../../../../tests/support/own-gateway.ts";
import { type JobSteps, jobSteps } from "../../testing/job-steps.ts";
import type { TestGateway } from "../../testing/test-gateway.ts";
import { workItemOf } from "../../testing/work-items.ts";

let gateway: TestGateway;
let steps: JobSteps;

beforeAll(async () => {
  const env = { MONGODB_VIEWS_DATABASE: `gateway_letters_${randomUUID().slice(0, 8)}`, MAX_ATTEMPTS: "1" };
  gateway = await startOwnGateway(env);
  steps = jobSteps(gateway);
});

afterAll(() => gateway?.close());

type Letter = { kind: string; id: string; code: string; stage: string | null; message: string };
type Answer = Letter & {
  status: string | number;
  items: Letter[];
  groups: { code: string; stage: string | null; count: number }[] | null;
  nextCursor: string | null;
  generation: number;
  outcome: string;
};

async function admin(method: string, path: string, roles = "admin", body?: unknown) {
  const headers: Record<string, string> = { "x-user-id": "olga", "x-user-roles": roles };
  if (body !== undefined) headers["content-type"] = "application/json";
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(`${gateway.url}/v1/admin/dead-letters${path}`, init);
  const text = await response.text();
  return { http: response.status, body: (text === "" ? null : JSON.parse(text)) as Answer };
}

async function queuedJob(): Promise<string> {
  const headers = { "content-type": "application/json", "x-user-id": "ada" };
  const created = await fetch(`${gateway.url}/v1/downloads`, { method: "POST", headers, body: '{"fileIds":[70000]}' });
  return ((await created.json()) as { id: string }).id;
}

/** A job whose only try failed in this way, and its view. */
async function failedJob(code: Parameters<typeof jobError>[0], stage: Parameters<typeof jobError>[1]): Promise<string> {
  const id = await queuedJob();
  await steps.claim(id);
  await steps.write(id, (record) => failed(record, { error: jobError(code, stage), now: new Date() }));
  await project(id);
  return id;
}

async function project(id: string): Promise<void> {
  const stored = await gateway.jobs.newest(id);
  if (stored === null) throw new Error("the job is gone");
  await gateway.store.views.upsertMany([viewOf(stored.record, stored.seq, "0".repeat(32), 3600)]);
}

const unreadable = async (subject: string) => {
  const limits = { clock: systemClock, random: systemRandom, log: createLogger("test", "silent"), timeoutMs: 2000 };
  const bytes = Buffer.from("not JSON");
  await createWorkQueue(gateway.bus, limits).deadLetter({ subject, bytes, reason: "not a readable work item" });
};

describe("failed jobs", () => {
  test("are listed by pages, newest first, and grouped; permanent errors are none", async () => {
    const ids = [
      await failedJob("SOURCE_TIMEOUT", "read-source"),
      await failedJob("SOURCE_TIMEOUT", "plan"),
      await failedJob("S3_UPLOAD_FAILED", "write-result"),
      await failedJob("SOURCE_TIMEOUT", "read-source"),
    ];
    await failedJob("FILE_NOT_FOUND", "plan");

    const seen: string[] = [];
    let cursor = "";
    do {
      const { http, body } = await admin("GET", `?kind=job&limit=3${cursor}`, "viewer");
      expect(http).toBe(200);
      if (cursor === "") {
        expect(body.groups).toEqual([
          { code: "SOURCE_TIMEOUT", stage: "read-source", count: 2 },
          ...[...(body.groups ?? [])].slice(1),
        ]);
        expect(body.groups).toHaveLength(3);
      }
      seen.push(...body.items.map((item) => item.id));
      cursor = body.nextCursor === null ? "" : `&cursor=${body.nextCursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(ids.toReversed());

    const ofCode = await admin("GET", "?code=S3_UPLOAD_FAILED");
    expect(ofCode.body.items).toMatchObject([{ id: ids[2], code: "S3_UPLOAD_FAILED", stage: "write-result" }]);
    const first = (await admin("GET", "?limit=1")).body.nextCursor;
    for (const path of ["?limit=1&code=SOURCE_TIMEOUT&cursor=", "?kind=message&cursor="]) {
      expect((await admin("GET", path + first)).body.code).toBe("INVALID_CURSOR");
    }
    expect((await admin("GET", "?colour=red")).http).toBe(400);
    expect((await admin("GET", "?code=NOTHING")).http).toBe(400);
  });

  test("are shown with request, cause and timeline", async () => {
    const id = await failedJob("SOURCE_TIMEOUT", "read-source");
    const { http, body } = await admin("GET", `/${id}`, "viewer");
    expect(http).toBe(200);
    expect(body).toMatchObject({
      kind: "job",
      id,
      userId: "ada",
      attempts: 1,
      request: { fileIds: [70_000] },
      cause: { code: "SOURCE_TIMEOUT", stage: "read-source" },
      timeline: [{ event: "created" }, { event: "started" }, { event: "failed" }],
    });
    for (const other of [await failedJob("FILE_NOT_FOUND", "plan"), randomUUID(), "x"]) {
      expect((await admin("GET", `/${other}`)).http).toBe(404);
    }
  });

  test("are redriven by a retry, once, and then are none any more", async () => {
    const id = await failedJob("SOURCE_TIMEOUT", "read-source");
    const reason = { reason: "the source is back" };
    const clicks = await Promise.all(
      Array.from({ length: 5 }, () => admin("POST", `/${id}/redrive`, "operator", reason)),
    );
    for (const { http, body } of clicks) expect([http, body.status, body.generation]).toEqual([200, "queued", 2]);
    const record = (await gateway.jobs.newest(id))?.record as JobRecord;
    expect(record.timeline.at(-1)).toMatchObject({ event: "retried", actor: "olga" });
    expect(await workItemOf(gateway, record)).toMatchObject({ id, generation: 2 });
    expect((await admin("DELETE", `/${id}`)).http).toBe(404);
    await steps.complete(id).catch(() => steps.claim(id).then(() => steps.complete(id)));
    expect((await admin("POST", `/${id}/redrive`)).body).toMatchObject({ code: "NOT_FOUND", status: 404 });
  });

  test("only dead letters are redriven: a job that failed for good, was cancelled or waits is none", async () => {
    const permanent = await failedJob("FILE_NOT_FOUND", "plan");
    const cancelled = await queuedJob();
    await fetch(`${gateway.url}/v1/downloads/${cancelled}/cancel`, { method: "POST", headers: { "x-user-id": "ada" } });
    const before = new Map<string, number | undefined>();
    for (const id of [permanent, cancelled, await queuedJob()]) before.set(id, (await gateway.jobs.newest(id))?.seq);
    for (const [id, seq] of before) {
      expect((await admin("POST", `/${id}/redrive`)).http).toBe(404);
      expect((await gateway.jobs.newest(id))?.seq).toBe(seq);
    }
  });

  test("are discarded by deletion", async () => {
    const id = await failedJob("S3_UPLOAD_FAILED", "write-result");
    expect((await admin("DELETE", `/${id}?reason=old`)).http).toBe(204);
    expect((await gateway.jobs.newest(id))?.record.status).toBe("erased");
    expect((await admin("DELETE", `/${id}`, "admin", { reason: "again" })).http).toBe(404);
  });
});

describe("messages", () => {
  test("are listed by pages, shown, put again and discarded", async () => {
    const subject = workSubject({ class: "normal", lane: "fast", id: randomUUID(), generation: 1 });
    for (const from of [subject, "download.job.x", "download.job.y"]) await unreadable(from);
    const page = await admin("GET", "?kind=message&limit=2");
    expect(page.body.groups).toEqual([{ code: "UNREADABLE", stage: null, count: 3 }]);
    const rest = await admin("GET", `?kind=message&limit=2&cursor=${page.body.nextCursor}`);
    const letters = [...page.body.items, ...rest.body.items];
    expect(letters).toMatchObject([{ subject }, { subject: "download.job.x" }, { subject: "download.job.y" }]);
    expect(letters[0]).toMatchObject({ kind: "message", message: "not a readable work item", sizeBytes: 8 });
    expect(rest.body.nextCursor).toBeNull();

    const [item, other] = letters.map((letter) => letter.id);
    expect((await admin("GET", `/${item}`)).body).toMatchObject({ dataBase64: "bm90IEpTT04=" });
    expect((await admin("POST", `/${item}/redrive`)).body).toMatchObject({ subject, outcome: "sent" });
    expect((await admin("GET", `/${item}`)).http).toBe(404);
    expect((await admin("POST", `/${other}/redrive`)).http).toBe(409);
    expect((await admin("DELETE", `/${other}`)).http).toBe(204);
    expect((await admin("DELETE", `/${other}`)).http).toBe(404);
  });
});

test("who may read and who may act", async () => {
  const id = await failedJob("SOURCE_TIMEOUT", "plan");
  for (const roles of ["", "user", "administrator"]) {
    for (const [method, path] of [
      ["GET", ""],
      ["GET", `/${id}`],
      ["DELETE", `/${id}`],
      ["POST", `/${id}/redrive`],
    ] as const) {
      const { http, body } = await admin(method, path, roles);
      expect([method, http, body.code]).toEqual([method, 403, "FORBIDDEN"]);
    }
  }
  expect((await admin("GET", `/${id}`, "viewer")).http).toBe(200);
  expect((await admin("DELETE", `/${id}`, "viewer")).http).toBe(403);
  expect((await admin("POST", `/${id}/redrive`, "user, operator")).http).toBe(200);
});
