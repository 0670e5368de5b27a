import { type Clock, systemRandom } from "@longhaul/runtime";
import { expect, test } from "vitest";
import { JobFailure } from "../job/job-failure.ts";
import { withFileTries } from "./file-tries.ts";

const { signal } = new AbortController();

/** How many calls are made when each fails like this, and how long is waited between them. */
async function triesOf(failure: Partial<ConstructorParameters<typeof JobFailure>[0]>) {
  const waits: number[] = [];
  const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: async (ms) => void waits.push(ms) };
  let calls = 0;
  const call = async () => {
    calls++;
    throw new JobFailure({ stage: "plan", code: "SOURCE_UNAVAILABLE", ...failure });
  };
  const tries = { fileTries: 3, retryBaseMs: 2_000, clock, random: { ...systemRandom, unit: () => 1 } };
  await expect(withFileTries(call, tries, signal)).rejects.toBeInstanceOf(JobFailure);
  return { calls, waits };
}

test("what may pass is tried again, after waits that grow", async () => {
  expect(await triesOf({})).toEqual({ calls: 3, waits: [2_000, 4_000] });
});

test("what will not pass, and what the file itself has become, is not", async () => {
  expect(await triesOf({ code: "FILE_NOT_FOUND" })).toEqual({ calls: 1, waits: [] });
  expect(await triesOf({ code: "SOURCE_CHANGED" })).toEqual({ calls: 1, waits: [] });
});

test("a call that was refused because its store is away is not made again", async () => {
  expect(await triesOf({ waitsFor: "storage", retryAfterMs: 1_000 })).toEqual({ calls: 1, waits: [] });
});

test("a short wait that the source asks for is kept, a long one is left to the job", async () => {
  expect(await triesOf({ retryAfterMs: 10_000 })).toEqual({ calls: 3, waits: [10_000, 10_000] });
  expect(await triesOf({ retryAfterMs: 600_000 })).toEqual({ calls: 1, waits: [] });
});
