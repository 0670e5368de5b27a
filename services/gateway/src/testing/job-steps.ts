import type { JobRecord, JobResult } from "@longhaul/contracts";
import { type Change, type CommandType, claim, completed, decide, failed, jobError, userHash } from "@longhaul/job";
import type { TestGateway } from "./test-gateway.ts";

/** Moves jobs on as workers and other gateways do: each step is one guarded write. Returns the write's sequence. */
export type JobSteps = {
  claim(id: string): Promise<number>;
  complete(id: string, result?: Partial<JobResult>): Promise<number>;
  fail(id: string): Promise<number>;
  command(id: string, type: CommandType): Promise<number>;
  write(id: string, change: (record: JobRecord) => Change): Promise<number>;
};

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OPTIONS = { deadlineMs: 5000, traceparent: TRACEPARENT, source: "/longhaul/test" };
const DAY_MS = 86_400_000;

export function jobSteps({ jobs }: Pick<TestGateway, "jobs">): JobSteps {
  const step = async (id: string, change: (record: JobRecord) => Change): Promise<number> => {
    const stored = await jobs.newest(id);
    if (stored === null || stored.record.status === "erased") throw new Error(`there is no job ${id}`);
    const put = await jobs.put(id, stored.seq, change(stored.record), OPTIONS);
    if (put.kind !== "done") throw new Error(`the write of ${id} is ${put.kind}`);
    return put.seq;
  };
  return {
    write: step,
    claim: (id) => step(id, (record) => claim(record, { run: aRun(), key: null, now: new Date() })),
    complete: (id, given) =>
      step(id, (record) =>
        completed(record, {
          result: { ...aResult(), ...given },
          outcomes: { doneThrough: 1, exceptions: [] },
          progress: { ...record.progress, filesDone: 1, bytesTotal: 9, bytesDone: 9 },
          usage: record.usage,
          now: new Date(),
        }),
      ),
    fail: (id) => step(id, (record) => failed(record, { error: jobError("FILE_NOT_FOUND", "plan"), now: new Date() })),
    command: (id, type) =>
      step(id, (record) => {
        const rules = { deadlineSeconds: 3600, userHash: userHash(record.tenant, record.user), archived: false };
        const decision = decide(record, { type, actor: "test" }, new Date(Date.now() + 8 * DAY_MS), rules);
        if (decision.kind !== "change") throw new Error(`${type} of ${id} is ${decision.kind}`);
        return decision.change;
      }),
  };
}

const aRun = () => ({ id: "run-1", worker: "worker-1", item: 1, startedAt: new Date().toISOString() });

const aResult = (): JobResult => ({
  kind: "borrowed",
  key: "downloads/70000.zip",
  filename: "file-70000.zip",
  sizeBytes: 9,
  contentType: "application/zip",
  crc32: null,
  partial: false,
  expiresAt: new Date(Date.now() + DAY_MS).toISOString(),
});
