import { envInt } from "./fields.ts";

const GiB = 1024 ** 3;
const MINUTE_SECONDS = 60;
const DAY_SECONDS = 86_400;

/** How large a job may be, and how many of a user's are served before those of others. */
export const jobLimitsConfig = {
  jobMaxFiles: envInt({ min: 1, max: 100_000 })
    .default(1000)
    .describe(
      "files in one job; an id takes up to 10 bytes of the body, so 100000 need a `BODY_LIMIT_BYTES` of 1200000",
    ),
  jobMaxBytes: envInt({ min: 1, max: 562 * GiB })
    .default(100 * GiB)
    .describe("bytes of one job's files together"),
  fileMaxBytes: envInt({ min: 1, max: 562 * GiB })
    .default(10 * GiB)
    .describe("bytes of one file"),
  laneBurst: envInt({ min: 1, max: 100_000 })
    .default(5)
    .describe("a user's jobs that wait in the fast lane, and as many more each minute; the rest wait in bulk"),
};

/** How often work is tried. */
export const attemptsConfig = {
  maxAttempts: envInt({ min: 1, max: 100 }).default(3).describe("tries of a job before it fails"),
  maxCrashes: envInt({ min: 1, max: 100 }).default(5).describe("crashes in a row without progress before it fails"),
  retryBaseMs: envInt({ min: 1, max: 600_000 }).default(2000).describe("wait before the second try; doubles after"),
};

/** When calls to a store or a host that fails are no longer made, and how often it is looked at again. */
export const breakerConfig = {
  breakerErrorPercent: envInt({ min: 1, max: 99 })
    .default(50)
    .describe("percent of the last calls to a store; when more fail, none is made for a while"),
  breakerMinCalls: envInt({ min: 1, max: 10_000 }).default(20).describe("how many calls are the last calls"),
  breakerResetMs: envInt({ min: 10, max: 3_600_000 })
    .default(60_000)
    .describe("after this time one call looks whether the store is well again"),
};

/** How long jobs and their results are kept. */
export const retentionConfig = {
  resultTtlSeconds: envInt({ min: 300, max: 7 * DAY_SECONDS })
    .default(DAY_SECONDS)
    .describe("how long a result is kept after completion when the request does not say"),
  resultTtlMaxSeconds: envInt({ min: 300, max: 7 * DAY_SECONDS })
    .default(7 * DAY_SECONDS)
    .describe("the longest that a request may ask for"),
  jobDeadlineSeconds: envInt({ min: MINUTE_SECONDS, max: 365 * DAY_SECONDS })
    .default(7 * DAY_SECONDS)
    .describe("after this long an unfinished job expires"),
  // These ends stay in JOBS for as long, and every reader of JOBS has at least a day to see an end.
  retryWindowFailedSeconds: envInt({ min: DAY_SECONDS, max: 365 * DAY_SECONDS })
    .default(30 * DAY_SECONDS)
    .describe("how long a failed job can be retried"),
  retryWindowCancelledSeconds: envInt({ min: DAY_SECONDS, max: 365 * DAY_SECONDS })
    .default(7 * DAY_SECONDS)
    .describe("how long a cancelled job can be retried"),
  // An expired job stays in JOBS for up to 26.4 hours, and no view may be forgotten before that.
  jobRetentionSeconds: envInt({ min: 2 * DAY_SECONDS, max: 365 * DAY_SECONDS })
    .default(7 * DAY_SECONDS)
    .describe("how long the view of a finished job is kept, from its last write"),
  // Neither may a tombstone go before that: a late write would bring the view of a deleted job back.
  tombstoneSeconds: envInt({ min: 2 * DAY_SECONDS, max: 365 * DAY_SECONDS })
    .default(9 * DAY_SECONDS)
    .describe("how long the view remembers that a job was deleted"),
};

/** Ending what is past its time. */
export const expiryConfig = {
  expiryIntervalMs: envInt({ min: 100, max: 3_600_000 })
    .default(60_000)
    .describe("between two looks for jobs and results whose time is over"),
};
