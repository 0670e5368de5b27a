import type { Usage } from "@longhaul/contracts";

export const NO_USAGE: Usage = { bytesRead: 0, bytesWritten: 0, s3Calls: 0, copies: 0 };

/** What a job has used when it has used so much more; what is left out is 0. */
export function addUsage(before: Usage, more: Partial<Usage>): Usage {
  const { bytesRead, bytesWritten, s3Calls, copies } = { ...NO_USAGE, ...more };
  return {
    ...before,
    bytesRead: before.bytesRead + bytesRead,
    bytesWritten: before.bytesWritten + bytesWritten,
    s3Calls: before.s3Calls + s3Calls,
    copies: before.copies + copies,
  };
}
