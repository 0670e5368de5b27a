import { randomUUID } from "node:crypto";
import { type ApiJob, type JobRecord, SHOWN_STATUSES, type ShownStatus } from "@longhaul/contracts";
import { viewOf } from "@longhaul/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startOwnGateway } from "../../../../../tests/support/own-gateway.ts";
import { until } from "../../../../../tests/support/until.ts";
import { openSocket } from "../../testing/frames.ts";
import { type JobSteps, jobSteps } from "../../testing/job-steps.ts";
import type { TestGateway } from "../../testing/test-gateway.ts";
import { workItemOf } from "../../testing/work-items.ts";

let gateway: TestGateway;
let steps: JobSteps;

beforeAll(async () => {
  const env = { MONGODB_VIEWS_DATABASE: "gateway_control" };
  gateway = await startOwnGateway(env);
  steps = jobSteps(gateway);
});

afterAll(() => gateway?.close());

type Answer = ApiJob & { code: string; currentStatus: string; allowed: string[]; detail: string };

async function call(id: string, command: string, headers: Record<string, string> = {}) {
  const [method, path] = command === "delete" ? ["DELETE", ""] : ["POST", `/${command}`];
  const response = await fetch(`${gateway.url}/v1/downloads/${id}${path}`, { method, headers });
  const text = await response.text();
  return {
    status: response.status,
    etag: response.headers.get("etag"),
    body: (text === "" ? null : JSON.parse(text)) as Answer,
  };
}

async function createJob(): Promise<string> {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: '{"fileIds":[70000]}' };
  return ((await (await fetch(`${gateway.url}/v1/downloads`, init)).json()) as { id: string }).id;
}

/** A job that came into this state by the writes of workers and users. */
async function jobIn(status: ShownStatus): Promise<string> {
  const id = await createJob();
  const ways: Record<ShownStatus, () => Promise<unknown>> = {
    queued: async () => {},
    processing: () => steps.claim(id),
    paused: () => steps.command(id, "pause"),
    completed: async () => {
      await steps.claim(id);
      await steps.complete(id);
    },
    failed: async () => {
      await steps.claim(id);
      await steps.fail(id);
    },
    cancelled: () => steps.command(id, "cancel"),
    expired: () => steps.command(id, "expire"),
  };
  await ways[status]();
  return id;
}

async function storedOf(id: string) {
  const stored = await gateway.jobs.newest(id);
  if (stored === null) throw new Error(`the job ${id} is gone`);
  return stored;
}

const recordOf = async (id: string) => (await storedOf(id)).record as JobRecord;

const C = "INVALID_STATE";
const W = "RETRY_WINDOW_CLOSED";
/** Rows and columns of the published table: the status after the command, `same`, or the code of its 409. */
const TABLE: Record<string, string[]> = {
  cancel: ["cancelled", "cancelled", "cancelled", C, C, "same", C],
  pause: ["paused", "paused", "same", C, C, C, C],
  resume: ["same", "same", "queued", C, C, C, C],
  retry: ["same", "same", C, C, "queued", "queued", W],
};
const CASES = Object.entries(TABLE).flatMap(([command, row]) =>
  SHOWN_STATUSES.map((status, column) => [command, status, row[column] ?? ""] as const),
);

describe("what each call does in each state", () => {
  test.for(CASES)("%s of a %s job: %s", async ([command, status, expected]) => {
    const id = await jobIn(status);
    const before = await storedOf(id);
    const { status: http, etag, body } = await call(id, command);
    const after = await storedOf(id);
    if (expected === expected.toUpperCase()) {
      expect([http, body.code, body.currentStatus]).toEqual([409, expected, status]);
      expect(after.seq).toBe(before.seq);
      return;
    }
    expect(http).toBe(200);
    expect([body.version, etag]).toEqual([`${after.seq}.0`, `W/"${after.seq}.0"`]);
    expect(body.status).toBe(expected === "same" ? status : expected);
    if (expected === "same") return expect(after.seq).toBe(before.seq);
    const { generation, run } = after.record as JobRecord;
    expect(run).toBeNull();
    expect(generation).toBe(expected === "queued" ? 2 : 1);
    if (expected === "queued") {
      const item = await until("the work item", () => workItemOf(gateway, after.record as JobRecord));
      expect(item).toMatchObject({ id, generation: 2, known: { seq: after.seq } });
    }
  });

  test("what is allowed is named", async () => {
    expect((await call(await jobIn("failed"), "pause")).body.allowed).toEqual(["retry"]);
    expect((await call(await jobIn("paused"), "retry")).body.allowed).toEqual(["cancel", "resume"]);
  });

  test.for(SHOWN_STATUSES)("a %s job is deleted in one write, once", async (status) => {
    const id = await jobIn(status);
    const { seq } = await storedOf(id);
    expect(await call(id, "delete")).toEqual({ status: 204, etag: null, body: null });
    const erased = await storedOf(id);
    expect(erased.record).toMatchObject({ status: "erased", id });
    expect(erased.record).not.toHaveProperty("user");
    expect(erased.seq).toBeGreaterThan(seq);
    for (const again of ["delete", "cancel", "pause", "resume", "retry"]) {
      expect([again, (await call(id, again)).status]).toEqual([again, 404]);
    }
    expect((await fetch(`${gateway.url}/v1/downloads/${id}`)).status).toBe(404);
  });

  test.for([
    ["nothing, said to be JSON", "application/json", ""],
    ["broken JSON", "application/json", "{"],
    ["a form", "application/x-www-form-urlencoded", "a=b"],
    ["bytes", "application/octet-stream", "\0"],
  ] as const)("any body will do: %s", async ([, type, body]) => {
    const id = await createJob();
    const init = { method: "POST", headers: { "content-type": type }, body };
    expect((await fetch(`${gateway.url}/v1/downloads/${id}/cancel`, init)).status).toBe(200);
    expect((await fetch(`${gateway.url}/v1/downloads/${id}`, { ...init, method: "DELETE" })).status).toBe(204);
  });

  test("other people's jobs, unknown ones and ids of another shape are not there", async () => {
    const id = await createJob();
    for (const command of [...Object.keys(TABLE), "delete"]) {
      expect((await call(id, command, { "x-user-id": "eve" })).status).toBe(404);
      expect((await call(randomUUID(), command)).status).toBe(404);
      expect((await call("x", command)).status).toBe(404);
    }
    expect((await recordOf(id)).status).toBe("queued");
  });
});

describe("what others see", () => {
  test("whoever reads after the call, here, reads its outcome, although nothing was pushed", async () => {
    const id = await createJob();
    const status = async () => (await fetch(`${gateway.url}/v1/downloads/${id}`)).json();
    await status();
    for (const command of ["pause", "resume", "cancel", "retry"]) {
      const { body } = await call(id, command);
      expect(await status()).toEqual(body);
    }
  });

  test("sockets of a deleted job are told so", async () => {
    const id = await createJob();
    const socket = openSocket(`${gateway.url}/v1/downloads/${id}/ws`);
    await until("the first frame", () => socket.frames.length > 0);
    expect((await call(id, "delete")).status).toBe(204);
    expect(await socket.closed).toBe(1000);
    expect(socket.frames.at(-1)).toMatchObject({ type: "bye", reason: "JOB_ERASED", reconnect: false });
  });
});

describe("races", () => {
  const many = (id: string, command: string) => Promise.all(Array.from({ length: 20 }, () => call(id, command)));

  test.for([
    ["cancel", "processing", "cancelled", 1],
    ["pause", "processing", "paused", 1],
    ["resume", "paused", "queued", 2],
    ["retry", "failed", "queued", 2],
  ] as const)("twenty calls of %s have one effect", async ([command, status, after, generation]) => {
    const id = await jobIn(status);
    const before = await recordOf(id);
    const answers = await many(id, command);
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.body.status} ${answer.body.version}`)).size).toBe(
      1,
    );
    expect(answers[0]).toMatchObject({ status: 200, body: { status: after, generation } });
    expect((await recordOf(id)).timeline).toHaveLength(before.timeline.length + 1);
  });

  test("of twenty deletions one is answered with 204", async () => {
    const statuses = (await many(await jobIn("processing"), "delete")).map((answer) => answer.status);
    expect(statuses.sort()).toEqual([204, ...Array.from({ length: 19 }, () => 404)]);
  });

  test("cancel and retry at once: each click counts once at most", async () => {
    const id = await jobIn("failed");
    const clicks = Array.from({ length: 20 }, (_, i) => call(id, i % 2 === 0 ? "retry" : "cancel"));
    for (const { status } of await Promise.all(clicks)) expect([200, 409]).toContain(status);
    const { generation, timeline } = await recordOf(id);
    const retried = timeline.filter((entry) => entry.event === "retried").length;
    expect(generation).toBe(1 + retried);
    expect(timeline.filter((entry) => entry.event === "cancelled").length).toBeLessThanOrEqual(retried);
  });
});

describe("a job that has left JOBS", () => {
  /** The view's copy of a job that `JOBS` does not know. */
  async function archived(status: ShownStatus): Promise<string> {
    const record = { ...(await recordOf(await jobIn(status))), id: randomUUID() };
    await gateway.store.views.upsertMany([viewOf(record, 7, "0".repeat(32), 3600)]);
    return record.id;
  }

  test.for(["failed", "cancelled", "completed", "expired"] as const)(
    "a %s one can be deleted, not retried",
    async (status) => {
      const id = await archived(status);
      const retry = await call(id, "retry");
      expect([retry.status, retry.body.code]).toEqual([409, W]);
      expect(retry.body.detail).toContain("create a new one");
      expect(retry.body.allowed).toEqual([]);
      expect(await gateway.jobs.newest(id)).toBeNull();
      expect((await call(id, "delete")).status).toBe(204);
      expect((await storedOf(id)).record.status).toBe("erased");
      expect((await call(id, "delete")).status).toBe(404);
    },
  );

  test("for the rest the table holds", async () => {
    expect((await call(await archived("cancelled"), "cancel")).body).toMatchObject({
      status: "cancelled",
      version: "7.0",
    });
    expect((await call(await archived("failed"), "cancel")).status).toBe(409);
  });

  test("an unfinished copy is no base for a command", async () => {
    const id = await archived("queued");
    for (const command of [...Object.keys(TABLE), "delete"]) {
      const { status, body } = await call(id, command);
      expect([command, status, body.code]).toEqual([command, 503, "DEPENDENCY_UNAVAILABLE"]);
      expect((await call(id, command, { "x-user-id": "eve" })).status).toBe(404);
    }
    expect(await gateway.jobs.newest(id)).toBeNull();
  });
});
