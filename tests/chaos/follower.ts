import type { StoredRecord } from "@longhaul/contracts";
import { compareVersions, parseVersion, shownStatus, type Version } from "@longhaul/job";
import type { Frame } from "../support/download-client.ts";

/** Somebody who follows a job on sockets, one after the other. */
export type Follower = {
  id: string;
  user: string;
  version: Version | null;
  status: string;
  /** The last socket ended in good order, with a last frame or because its job had ended before. */
  ended: boolean;
  /** The job was said to be unknown or erased. */
  gone: boolean;
  /** The first time that an older version was shown after a newer one. */
  backwards: string | null;
};

export const newFollower = (id: string, user: string): Follower => ({
  ...{ id, user, version: null, status: "" },
  ...{ ended: false, gone: false, backwards: null },
});

/** What a frame shows. */
export function see(
  follower: Follower,
  { type, version, job, code }: Omit<Frame, "code"> & { code?: number | string },
): void {
  if (type === "bye" && code === "JOB_ERASED") follower.gone = true;
  if (type !== "job" && type !== "progress") return;
  const shown = parseVersion(version ?? "");
  if (shown === null) return;
  if (follower.version && compareVersions(shown, follower.version) < 0) {
    follower.backwards ??= `its socket showed version ${version} after ${follower.version.seq}.${follower.version.n}`;
  }
  follower.version = shown;
  if (job) follower.status = job.status;
}

/** What is wrong with what is shown last, given the newest record (undefined: there is none); null = nothing. */
export function wrongState(
  { version, status, gone, backwards }: Follower,
  newest: { seq: number; record: StoredRecord } | undefined,
): string | null {
  if (backwards !== null) return backwards;
  const record = newest?.record;
  if (!record || record.status === "erased") return gone ? null : "its socket does not know that it was erased";
  if (gone) return "its socket was told that it is erased or unknown";
  const expected = shownStatus(record.status);
  return version?.seq === newest?.seq && status === expected
    ? null
    : `its socket shows ${status || "nothing"} (version ${version?.seq ?? "none"}), not ${expected} (version ${newest?.seq})`;
}
