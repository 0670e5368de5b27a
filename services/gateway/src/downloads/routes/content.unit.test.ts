import { expect, test } from "vitest";
import { at, recordIn } from "../../../../../libs/job/src/testing/index.ts";
import { acceptsJson, availableResult } from "./content.ts";

const soon = at(10).getTime();

test("a completed job hands out its result until its time is over", () => {
  const completed = recordIn("completed");
  const expiresAt = Date.parse(completed.result?.expiresAt ?? "");
  expect(availableResult(completed, soon).key).toBe(completed.result?.key);
  expect(availableResult(completed, expiresAt - 1).filename).toBe("file-70000.zip");
  expect(() => availableResult(completed, expiresAt)).toThrow(expect.objectContaining({ code: "RESULT_EXPIRED" }));
});

test.for([
  ["queued", "NOT_READY"],
  ["running", "NOT_READY"],
  ["paused", "NOT_READY"],
  ["failed", "JOB_FAILED"],
  ["cancelled", "JOB_CANCELLED"],
  ["expired", "RESULT_EXPIRED"],
] as const)("a %s job answers %s", ([status, code]) => {
  expect(() => availableResult(recordIn(status), soon)).toThrow(expect.objectContaining({ code }));
});

test("a job without a file has no content", () => {
  const completed = recordIn("completed");
  const result = completed.result && { ...completed.result, kind: "none" as const, key: null };
  expect(() => availableResult({ ...completed, result }, soon)).toThrow(
    expect.objectContaining({ code: "INVALID_STATE" }),
  );
});

test("JSON is for those who name it", () => {
  expect(acceptsJson("application/json, text/plain, */*")).toBe(true);
  expect(acceptsJson("text/html, Application/JSON; charset=utf-8;q=0.1")).toBe(true);
  expect(acceptsJson("text/html,*/*;q=0.8")).toBe(false);
  expect(acceptsJson("application/json;q=0, */*")).toBe(false);
  expect(acceptsJson("application/json ; Q=0.000")).toBe(false);
  expect(acceptsJson("application/json5, application/problem+json")).toBe(false);
  expect(acceptsJson(undefined)).toBe(false);
});
