import { JOB_ERROR_CODES, type JobErrorCode } from "@longhaul/contracts";
import { describe, expect, test } from "vitest";
import { errorText, isPermanent, jobError, type PublicClass, publicClass } from "./failure.ts";
import { settle } from "./settle.ts";
import { POLICY, recordIn } from "./testing/index.ts";

const afterFailures = (failures: number) => recordIn("running", { failures });
const timeout = { stage: "read-source", code: "SOURCE_TIMEOUT" } as const;
const MINUTE = 60_000;

describe("the table of error codes", () => {
  const table: Record<JobErrorCode, [permanent: boolean, PublicClass]> = {
    FILE_NOT_FOUND: [true, "validation_error"],
    INVALID_FILE_ID: [true, "validation_error"],
    PERMISSION_DENIED: [true, "validation_error"],
    FILE_TOO_LARGE: [true, "validation_error"],
    SOURCE_TIMEOUT: [false, "timeout_error"],
    DEADLINE_EXCEEDED: [true, "timeout_error"],
    SOURCE_UNAVAILABLE: [false, "network_error"],
    SOURCE_RATE_LIMITED: [false, "network_error"],
    SOURCE_CHANGED: [false, "storage_error"],
    S3_UPLOAD_FAILED: [false, "storage_error"],
    CHECKSUM_MISMATCH: [false, "storage_error"],
    ALL_FILES_FAILED: [true, "unknown_error"],
    DEAD_LETTERED: [true, "unknown_error"],
    INTERNAL: [false, "unknown_error"],
  };

  test.each(JOB_ERROR_CODES)("%s", (code) => {
    const [permanent, shown] = table[code];
    expect(isPermanent(code)).toBe(permanent);
    expect(publicClass(code)).toBe(shown);
    expect(errorText(code)).toMatch(/^[A-Z].+\.$/);
    expect(settle({ stage: "plan", code }, afterFailures(0), POLICY, 0.5).do).toBe(permanent ? "fail" : "retry");
    expect(jobError(code, "plan", 70_000)).toEqual({
      code,
      message: errorText(code),
      stage: "plan",
      retryable: !permanent,
      fileId: 70_000,
    });
  });
});

describe("waits between tries", () => {
  test.each([
    [0, 0.5, 2000],
    [1, 0.5, 4000],
    [0, 0, 1600],
    [0, 1, 2400],
    [1, 0, 3200],
    [1, 1, 4800],
  ])("after %i failures, with jitter %d: %i ms", (failures, jitter, delayMs) => {
    expect(settle(timeout, afterFailures(failures), POLICY, jitter)).toEqual({ do: "retry", delayMs, waitsFor: null });
  });

  test("the third try is the last", () => {
    expect(settle(timeout, afterFailures(2), POLICY, 0.5)).toEqual({ do: "fail" });
  });

  test.each([
    ["is waited for in full", 60_000, 0, 60_000],
    ["is never cut short by jitter", 60_000, 1, 72_000],
    ["below our own wait changes nothing", 100, 0.5, 2000],
    ["is honoured up to 15 minutes", 60 * MINUTE, 1, 15 * MINUTE],
  ])("a source's Retry-After %s", (_rule, retryAfterMs, jitter, delayMs) => {
    const error = { stage: "read-source", code: "SOURCE_RATE_LIMITED", retryAfterMs } as const;
    expect(settle(error, afterFailures(0), POLICY, jitter)).toEqual({ do: "retry", delayMs, waitsFor: null });
  });

  test("no wait is longer than 15 minutes, however many tries are allowed", () => {
    expect(settle(timeout, afterFailures(20), { ...POLICY, maxAttempts: 30 }, 1)).toEqual({
      do: "retry",
      delayMs: 15 * MINUTE,
      waitsFor: null,
    });
  });

  test.each([
    ["until the next probe", 0, 60_000, 0, 60_000],
    ["with jitter a little longer", 0, 60_000, 1, 72_000],
    ["at least our own first wait", 2, 0, 0.5, 2000],
    ["at most 15 minutes", 0, 60 * MINUTE, 0, 15 * MINUTE],
    ["although it was the last try", 2, 60_000, 0, 60_000],
  ])("for a store that is away: %s", (_rule, failures, retryAfterMs, jitter, delayMs) => {
    const error = { stage: "write-result", code: "S3_UPLOAD_FAILED", retryAfterMs, waitsFor: "storage" } as const;
    expect(settle(error, afterFailures(failures), POLICY, jitter)).toEqual({
      do: "retry",
      delayMs,
      waitsFor: "storage",
    });
  });
});
