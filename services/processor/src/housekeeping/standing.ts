import type { Standing } from "@longhaul/job";
import type { Jobs, Views } from "./ports.ts";

/**
 * The job as it stands now: by leader read, and of a job that has left `JOBS` its view. Null = known nowhere. Rejects
 * when one that has to be asked is away: then nothing may be concluded.
 */
export async function standingOf(id: string, { jobs, views }: { jobs: Jobs; views: Views }): Promise<Standing | null> {
  const stored = await jobs.newest(id);
  return stored === null ? await views.standing(id) : stored.record;
}
