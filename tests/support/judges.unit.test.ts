import { expect, test } from "vitest";
import { type CommandAnswer, impossible } from "./command-answers.ts";
import { brokenRules, type Write } from "./job-histories.ts";

/** `queued/1 running/1 …`, with versions 1, 2, 3 … */
const history = (story: string): Write[] =>
  story.split(" ").map((step, i) => {
    const [status = "", generation] = step.split("/");
    const known = { status: status as Write["status"], generation: Number(generation) };
    return { ...known, seq: i + 1, type: "download.checkpoint.v1" };
  });

test.each([
  "queued/1 running/1 queued/1 running/1 completed/1 expired/1 erased/1",
  "queued/1 running/1 paused/1 queued/2 cancelled/2 queued/3 running/3 failed/3 queued/4 expired/4",
  "queued/1 paused/1 cancelled/1",
])("a life that may be: %s", (story) => {
  expect(brokenRules(history(story))).toEqual([]);
});

test.each([
  ["running/1", "it does not begin as a new job"],
  ["queued/1 cancelled/1 completed/1", "generation 1 goes on after its end"],
  ["queued/1 failed/1 expired/1", "generation 1 goes on after its end"],
  ["queued/1 paused/1 running/1", "a paused job goes on without being resumed"],
  ["queued/1 running/1 queued/2", "a generation begins where none can"],
  ["queued/1 cancelled/1 queued/3", "generations do not rise by one"],
  ["queued/1 erased/1 queued/2", "something is written after it was erased"],
])("a life that may not be: %s", (story, why) => {
  expect(brokenRules(history(story))).toEqual([expect.stringContaining(why)]);
});

test("a version that comes after a higher one is told", () => {
  const [first, second] = history("queued/1 running/1") as [Write, Write];
  expect(brokenRules([first, { ...second, seq: 1 }])).toEqual([expect.stringContaining("version 1 comes after 1")]);
});

const CANCELLED = history("queued/1 running/1 cancelled/1");
const success = (command: CommandAnswer["command"], version: number, status: string): CommandAnswer => ({
  ...{ command, since: 2, status: 200 },
  body: { version: `${version}.0`, status, generation: 1 },
});
const refusal = (command: CommandAnswer["command"], currentStatus: string, allowed: string[]): CommandAnswer => ({
  ...{ command, since: 2, status: 409 },
  body: { code: "INVALID_STATE", currentStatus, allowed },
});

test("answers that can be", () => {
  expect(impossible(success("cancel", 3, "cancelled"), CANCELLED)).toBeNull();
  expect(impossible(success("resume", 2, "processing"), CANCELLED)).toBeNull();
  expect(impossible(refusal("pause", "cancelled", ["retry"]), CANCELLED)).toBeNull();
  expect(impossible({ command: "delete", since: 1, status: 204, body: {} }, history("queued/1 erased/1"))).toBeNull();
});

test.each<[CommandAnswer, string]>([
  [success("cancel", 3, "completed"), "it says completed/1 of version 3"],
  [success("cancel", 9, "cancelled"), "version 9.0 was not there"],
  [success("cancel", 1, "queued"), "version 1.0 was not there"],
  [success("pause", 3, "cancelled"), "nothing of it was stored"],
  [refusal("pause", "completed", []), "the job was not completed"],
  [refusal("cancel", "processing", []), "refused with INVALID_STATE while processing"],
  [refusal("pause", "cancelled", ["resume"]), "it allows resume, not retry"],
  [{ command: "cancel", since: 2, status: 404, body: {} }, "it was never deleted"],
  [{ command: "delete", since: 2, status: 204, body: {} }, "nothing was written"],
  [{ command: "pause", since: 2, status: 503, body: { code: "DEPENDENCY_UNAVAILABLE" } }, "answered with 503"],
])("an answer that cannot be: %j", (answer, why) => {
  expect(impossible(answer, CANCELLED)).toContain(why);
});
