import type { Version } from "@longhaul/job";
import type { Shown } from "../live/shown.ts";
import type { Watch } from "../live/watch.ts";
import type { Watches } from "../live/watches.ts";
import { type Caller, owns } from "../plugins/caller.ts";
import { jobNotFound } from "../problem-error.ts";
import { pathJobId } from "../request-path.ts";

/** What a caller sees of a job. `stale`: whoever would know better is away. `named`: see `Watches.reach`. */
export type Seen = { shown: Shown; stale: boolean; named: Version | null };

/**
 * Reads the caller's own job for a client that names the version it knows; from memory, without a wait, while the job
 * is watched.
 * @param idText the id as it stands in the path
 * @throws ProblemError `NOT_FOUND` for unknown, erased and other people's jobs alike
 * @throws BusError, StoreError when nothing is known of the job and whoever could tell is away
 */
export function readJob(watches: Watches, idText: string, caller: Caller, named: Version | null): Seen | Promise<Seen> {
  const id = pathJobId(idText);
  if (id === null) throw jobNotFound();
  const watch = watches.peek(id);
  if (watch?.confirmed && (named === null || named.seq <= watch.seq)) return see(watch, caller, named);
  return readBehind(watches, id, caller, named);
}

async function readBehind(watches: Watches, id: string, caller: Caller, named: Version | null): Promise<Seen> {
  const watch = await watches.open(id);
  if (watch === null) throw jobNotFound();
  return see(watch, caller, await watches.reach(watch, named));
}

function see(watch: Watch, caller: Caller, named: Version | null): Seen {
  const { shown } = watch;
  if (shown === null || !owns(caller, shown.record)) throw jobNotFound();
  return { shown, stale: !watch.confirmed, named };
}
