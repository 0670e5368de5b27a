import type { JobSpec } from "@longhaul/contracts";

/** When the result of a job that completes now is deleted. */
export function resultExpiry({ expiresInSeconds }: JobSpec, now: Date): string {
  return new Date(now.getTime() + expiresInSeconds * 1000).toISOString();
}
