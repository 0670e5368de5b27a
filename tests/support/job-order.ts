import { connectBus, createCore, type StoredMessage } from "@longhaul/bus";
import { createLogger } from "@longhaul/runtime";

/** What happened to a job, and which lane it is of, such as `normal-bulk`. */
export type Happening = { id: string; what: "created" | "started" | "ended"; lane: string };

/** Creates, starts and ends of all jobs in the order in which they were stored: seen from outside, without any clock. */
export type JobOrder = {
  readonly happenings: readonly Happening[];
  /** Jobs that run now, by what is stored. */
  running(): number;
  /** The most that ever ran at once. */
  mostRunning(): number;
  close(): Promise<void>;
};

export async function watchOrder(natsUrl: string): Promise<JobOrder> {
  const log = createLogger("order", "error");
  const bus = await connectBus({ servers: [natsUrl], name: "test-order", log });
  const happenings: Happening[] = [];
  const running = new Set<string>();
  let most = 0;
  createCore(bus, log).subscribeStored("*", (stored) => {
    const what = happeningOf(stored);
    const { id } = stored.record;
    if (stored.record.status === "running") running.add(id);
    else running.delete(id);
    most = Math.max(most, running.size);
    if (what && stored.record.status !== "erased") {
      const { spec } = stored.record;
      happenings.push({ id, what, lane: `${spec.class}-${spec.lane}` });
    }
  });
  await bus.ping(5_000);
  return { happenings, running: () => running.size, mostRunning: () => most, close: () => bus.close() };
}

function happeningOf({ type }: StoredMessage): Happening["what"] | null {
  if (type === "download.requested.v1") return "created";
  if (type === "download.started.v1") return "started";
  return type === "download.completed.v1" || type === "download.failed.v1" ? "ended" : null;
}

/** How many jobs of others ended between the create and the start of this one; null while it has not started. */
export function endsWhileWaiting({ happenings }: JobOrder, id: string): number | null {
  const created = happenings.findIndex((it) => it.id === id && it.what === "created");
  const started = happenings.findIndex((it) => it.id === id && it.what === "started");
  if (created < 0 || started < 0) return null;
  return happenings.slice(created, started).filter(({ what }) => what === "ended").length;
}

/** The most starts in other lanes between two starts of this lane, for as long as it and one of `rivals` had jobs waiting. */
export function longestPause({ happenings }: JobOrder, lane: string, rivals: readonly string[]): number {
  const starts = happenings.filter(({ what }) => what === "started").map((it) => it.lane);
  const contested = Math.min(starts.lastIndexOf(lane), Math.max(...rivals.map((rival) => starts.lastIndexOf(rival))));
  let [pause, longest] = [0, 0];
  for (const started of starts.slice(0, contested + 1)) {
    pause = started === lane ? 0 : pause + 1;
    longest = Math.max(longest, pause);
  }
  return longest;
}
