import { z } from "zod";

/** Every error code of the API: HTTP status, whether repeating the request can help, and a title. */
export const PROBLEMS = {
  VALIDATION_ERROR: { status: 400, retryable: false, title: "The request is not valid" },
  MALFORMED_JSON: { status: 400, retryable: false, title: "The body is not JSON" },
  INVALID_CURSOR: { status: 400, retryable: false, title: "The cursor is not of this list" },
  INVALID_IDEMPOTENCY_KEY: { status: 400, retryable: false, title: "The idempotency key cannot be used" },
  FORBIDDEN: { status: 403, retryable: false, title: "This is not allowed to you" },
  ORIGIN_NOT_ALLOWED: { status: 403, retryable: false, title: "Pages of this origin may not do this" },
  NOT_FOUND: { status: 404, retryable: false, title: "Not found" },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, title: "The method is not allowed here" },
  INVALID_STATE: { status: 409, retryable: false, title: "Not possible in the job's state" },
  RETRY_WINDOW_CLOSED: { status: 409, retryable: false, title: "The job can no longer be retried" },
  IDEMPOTENCY_KEY_SPENT: { status: 409, retryable: false, title: "The job of this idempotency key was deleted" },
  JOB_FAILED: { status: 409, retryable: false, title: "The job has failed" },
  NOT_READY: { status: 409, retryable: true, title: "The result is not ready yet" },
  RESULT_EXPIRED: { status: 410, retryable: false, title: "The result was deleted when its time was over" },
  JOB_CANCELLED: { status: 410, retryable: false, title: "The job was cancelled" },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false, title: "The body is too large" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false, title: "The body must be JSON" },
  IDEMPOTENCY_KEY_REUSED: { status: 422, retryable: false, title: "The key belongs to another request" },
  UPGRADE_REQUIRED: { status: 426, retryable: false, title: "This is a WebSocket" },
  HEADERS_TOO_LARGE: { status: 431, retryable: false, title: "The headers are too large" },
  INTERNAL_ERROR: { status: 500, retryable: true, title: "Something went wrong on our side" },
  QUEUE_FULL: { status: 503, retryable: true, title: "Too many jobs are waiting" },
  DEPENDENCY_UNAVAILABLE: { status: 503, retryable: true, title: "A service that is needed is away" },
  SHUTTING_DOWN: { status: 503, retryable: true, title: "This server is shutting down" },
  REQUEST_TIMEOUT: { status: 504, retryable: true, title: "The request took too long" },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;
const problemCode = z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]);

export const fieldError = z.union([
  /** JSON pointer of the field, as a URI fragment. */
  z.object({ pointer: z.string(), detail: z.string() }),
  z.object({ parameter: z.string(), detail: z.string() }),
  z.object({ header: z.string(), detail: z.string() }),
]);
export type FieldError = z.infer<typeof fieldError>;

/** RFC 9457 problem details, with our extension members. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  code: problemCode,
  traceId: z.string(),
  requestId: z.string(),
  retryable: z.boolean(),
  errors: z.array(fieldError).optional(),
  currentStatus: z.string().optional(),
  allowed: z.array(z.string()).optional(),
  outcome: z.literal("unknown").optional(),
});
export type Problem = z.infer<typeof problem>;
