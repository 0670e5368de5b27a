import { apiJob, type StoredRecord, storedRecord } from "@longhaul/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { wroteIt } from "./change.ts";
import { isEnded, isLive, isOver } from "./end.ts";
import { present } from "./present.ts";
import { newJobInput, POLICY, T0 } from "./testing/index.ts";
import { OneJobWorld, type Stored, type Witness } from "./testing/one-job-world.ts";
import { compareVersions, parseVersion } from "./version.ts";

/*
 * Random histories of one job: users, workers and sweeps who go by old news, die, and write on whatever sequence they
 * last saw. After each stored write, and at the end, the promises of the protocol must hold.
 */
const ACTORS = 4;
const HOUR = 60 * 60;

const who = fc.nat({ max: ACTORS - 1 });
const command = fc.constantFrom("cancel", "pause", "resume", "retry", "expire", "erase" as const);
const workStep = fc.constantFrom(
  "checkpoint",
  "complete",
  "fail",
  "try fails",
  "wait for source",
  "hand back",
  "die" as const,
);
const passes = fc.constantFrom(1, 5, 60, HOUR, 30 * HOUR, 200 * HOUR);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("look" as const), who }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("deliver" as const), who, nth: fc.nat({ max: 3 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("work" as const), who, step: workStep }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("command" as const), who, type: command }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("sweep" as const), second: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), seconds: passes }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function take(world: OneJobWorld, s: Step): void {
  if (s.do === "look") world.look(s.who);
  else if (s.do === "deliver") world.deliver(s.who, s.nth);
  else if (s.do === "work") world.work(s.who, s.step);
  else if (s.do === "command") world.command(s.who, s.type);
  else if (s.do === "sweep") world.sweep(s.second);
  else world.pass(s.seconds);
}

const PERSONAL = (() => {
  const { owner, clientIp, userAgent, spec } = newJobInput();
  return [owner.user, clientIp, userAgent, ...(spec.fileIds ?? [])].map(String);
})();

/** What holds of a record by itself, whoever wrote it. */
function recordHolds(record: StoredRecord): void {
  expect(storedRecord.safeParse(record).error).toBeUndefined();
  if (!isLive(record)) {
    const text = JSON.stringify(record);
    for (const personal of PERSONAL) expect(text).not.toContain(personal);
    return;
  }
  expect(record.run !== null).toBe(record.status === "running");
  if (record.status !== "queued") expect(record.retryAt).toBeNull();
  expect(record.completedAt !== null).toBe(isEnded(record.status));
  if (isEnded(record.status)) expect(record.checkpoint).toBeNull();
  if (record.status === "failed") expect(record.error).not.toBeNull();
  if (record.status === "queued" && record.failures > 0) expect(record.error).not.toBeNull();
  if (record.checkpoint !== null || record.result?.kind === "owned") expect(record.named).toBe(true);
  expect(record.crashes).toBeLessThanOrEqual(POLICY.maxCrashes);
  expect(record.failures).toBeLessThanOrEqual(POLICY.maxAttempts);
  expect(record.timeline[0]?.event).toBe("created");
}

/** Watches every write, and counts the ends of each generation. */
function watcher(): Witness {
  const ends = new Map<number, number>();
  return (before, after, change) => {
    const { record } = after;
    recordHolds(record);
    expect(wroteIt(record, record.writeId)).toBe(true);
    if (before === null) return;
    const was = before.record;

    expect(was.status).not.toBe("erased");
    expect(record.generation).toBeGreaterThanOrEqual(was.generation);
    expect(record.named || !was.named).toBe(true);
    if (isLive(was) && isEnded(was.status) && record.generation === was.generation && isLive(record)) {
      expect([was.status, record.status]).toEqual(["completed", "expired"]);
    }
    if (isEnded(record.status) && was.status !== "completed") {
      ends.set(record.generation, (ends.get(record.generation) ?? 0) + 1);
      expect(ends.get(record.generation)).toBe(1);
    }
    if (isLive(was) && isLive(record)) shownMovesOn(before, after);
    if (isLive(record) && change.entry !== null) expect(record.timeline.at(-1)?.writeId).toBe(record.writeId);
  };
}

/** A reader who saw progress after the older write takes the newer one, and everything shown is as the contract says. */
function shownMovesOn(before: Stored, after: Stored): void {
  const [older, newer] = [
    { ...before, n: 99 },
    { ...after, n: 0 },
  ].map(({ seq, n, record }) => {
    if (!isLive(record)) throw new Error("erased");
    const job = present(record, { seq, n }, POLICY);
    expect(apiJob.safeParse(job).error).toBeUndefined();
    return parseVersion(job.version);
  });
  if (!older || !newer) throw new Error("not a version");
  expect(compareVersions(newer, older)).toBeGreaterThan(0);
}

/** From here on nothing goes wrong: whoever was busy is gone, the sweep runs, and one worker takes what is delivered. */
function drain(world: OneJobWorld): void {
  for (let actor = 0; actor < ACTORS; actor++) world.work(actor, "die");
  world.pass(HOUR);
  world.sweep();
  for (let round = 0; round < 20 && world.items.size > 0; round++) {
    world.look(0);
    world.deliver(0, round);
    world.work(0, "complete");
  }
}

test("whatever happens to a job, its promises hold and it can be brought to an end", () => {
  const history = fc.array(step, { minLength: 20, maxLength: 120, size: "max" });
  fc.assert(
    fc.property(history, (steps) => {
      const world = new OneJobWorld(ACTORS, watcher());
      for (const s of steps) take(world, s);
      drain(world);

      const job = world.newest?.record;
      expect(job !== undefined && isOver(job)).toBe(true);
      expect([...world.items]).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test("the histories reach every state, later generations, takeovers and dead letters", () => {
  const reached = new Set<string>();
  const note: Witness = (_before, { record }, change) => {
    reached.add(record.status);
    if (change.entry) reached.add(change.entry.event);
    if (record.generation > 2) reached.add("generation 3");
    if (isLive(record) && record.error?.code === "DEAD_LETTERED") reached.add("dead letter");
  };
  const histories = fc.sample(fc.array(step, { minLength: 120, maxLength: 120, size: "max" }), {
    numRuns: 300,
    seed: T0.getTime(),
  });
  for (const steps of histories) {
    const world = new OneJobWorld(ACTORS, note);
    for (const s of steps) take(world, s);
  }
  const states = ["queued", "running", "paused", "completed", "failed", "cancelled", "expired", "erased"];
  const events = ["created", "started", "takeover", "retrying", "handedback", "resumed", "retried"];
  expect([...reached].sort()).toEqual([...states, ...events, "generation 3", "dead letter"].sort());
});
