import { ObjectsError } from "../../../libs/objects/src/objects-error.ts";
import type { ResultStore } from "../../../services/processor/src/job/ports.ts";
import type { Prng } from "../kernel/prng.ts";
import type { Process } from "../kernel/process.ts";
import type { World } from "../world.ts";
import type { ObjectServer } from "./object-server.ts";

const CALL_TIMEOUT_MS = 30_000;
/** Between two probes of an open breaker. */
const PROBE_MS = 60_000;
/** Nearly the whole of the time for which the caller waits. */
const MEETING_WITHIN_MS = CALL_TIMEOUT_MS - 2_000;

/** Told of each call as it leaves the process; `key`: the object that it is about. */
export type StoreCall = (what: string, key: string) => void;

/** The object store as one process sees it: slow, now and then failing, its answers sometimes lost. */
export function createObjectClient(
  process: Process,
  server: ObjectServer,
  world: World,
  onCall: StoreCall,
): ResultStore {
  const prng = world.prng(`store of ${process.name}`);
  const call = <T>(what: string, key: string, signal: AbortSignal, handle: () => T, travel?: Travel): Promise<T> => {
    if (signal.aborted) return Promise.reject(aborted(signal));
    onCall(what, key);
    return exchange(world, process, prng, { what, key, signal, handle, travel });
  };
  const afterListing = (key: string): Travel => {
    if (!world.strikes(prng, world.options.ambush.complete)) return undefined;
    return meeting(world, server, prng, "listed", key);
  };
  return {
    put: (key, bytes, { crc32, signal }) =>
      call(`put ${bytes.length} bytes`, key, signal, () => server.put(key, bytes, crc32)),
    createUpload: (key, { signal }) => call("create upload", key, signal, () => server.createUpload(key)),
    uploadPart: (upload, part, signal) =>
      call(`part ${part.number} of ${upload.id}`, upload.key, signal, () => server.uploadPart(upload, part)),
    copyPart: (upload, number, from, signal) =>
      call(`copy to part ${number} of ${upload.id}`, upload.key, signal, () => server.copyPart(upload, number, from)),
    listParts: (upload, { signal }) =>
      call(`list parts of ${upload.id}`, upload.key, signal, () => server.listParts(upload)),
    completeUpload: (upload, parts, { crc32, signal }) =>
      call(
        `complete ${upload.id}`,
        upload.key,
        signal,
        () => server.completeUpload(upload, parts, crc32),
        afterListing(upload.key),
      ),
    head: (key, { signal }) => call("head", key, signal, () => server.head(key)),
  };
}

/** Brings a request to the server; undefined = as most. */
type Travel = ((arrive: () => void) => void) | undefined;
type Call<T> = { what: string; key: string; signal: AbortSignal; handle: () => T; travel?: Travel };

/** So slow that the request arrives just after another has done something, when that comes soon. */
export function meeting(
  world: World,
  server: ObjectServer,
  prng: Prng,
  what: "made" | "listed",
  keyOrPrefix: string,
): Travel {
  return (arrive) => {
    const late = world.scheduler.after(MEETING_WITHIN_MS, arrive);
    server.once(what, keyOrPrefix, () => {
      late.cancel();
      world.statistics.count(`store calls that met what was ${what}`);
      world.scheduler.after(prng.magnitude(0.1, 300), arrive);
    });
  };
}

/** One call, with all that can happen to it. */
export function exchange<T>(
  world: World,
  process: Process,
  prng: Prng,
  { what, key, signal, handle, travel }: Call<T>,
): Promise<T> {
  const { delayMs, error, lostRequest, lostAnswer, late } = world.options.objects;
  const note = (text: string) => world.log.add(jobOf(key), `${process.name}  store: ${what} ${shortKey(key)}${text}`);
  const oneWay = () => prng.magnitude(...delayMs) / 2;
  const awayMs = world.storeAwayUntil - world.now;
  if (awayMs > 0) {
    world.statistics.count("store calls refused by a breaker");
    note(": refused, the store is away");
    return Promise.reject(away(Math.min(PROBE_MS, awayMs)));
  }
  return new Promise<T>((resolve, reject) => {
    let open = true;
    const settle = (how: () => void) => {
      if (!open) return;
      open = false;
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
      how();
    };
    const onAbort = () => settle(() => reject(aborted(signal)));
    const timer = process.after(CALL_TIMEOUT_MS, () =>
      settle(() => reject(new ObjectsError("no answer in time", { code: "TIMEOUT" }))),
    );
    signal.addEventListener("abort", onAbort, { once: true });

    if (world.strikes(prng, lostRequest)) return note(": lost on its way");
    const arrive = () => {
      // What was under way when the caller died or gave up may have reached the store, or not.
      if ((process.state === "dead" || !open) && prng.chance(0.3)) return;
      const answer = world.strikes(prng, error) ? { error: unavailable() } : attempt(handle);
      world.statistics.count(`store calls: ${what.split(" ")[0]}${"error" in answer ? " failed" : ""}`);
      note("error" in answer ? `: ${answer.error instanceof ObjectsError ? answer.error.code : answer.error}` : "");
      if (world.strikes(prng, lostAnswer)) return note(": done, answer lost");
      world.scheduler.after(oneWay(), () =>
        process.run(() => settle(() => ("error" in answer ? reject(answer.error) : resolve(answer.value)))),
      );
    };
    const wayMs = world.strikes(prng, late) ? prng.magnitude(CALL_TIMEOUT_MS, 4 * CALL_TIMEOUT_MS) : oneWay();
    if (travel) travel(arrive);
    else world.scheduler.after(wayMs, arrive);
  });
}

/** The job that a key belongs to: `results/<tenant>/<id>/<random>`. */
export const jobOf = (key: string): string | null => key.split("/")[2] ?? null;

const shortKey = (key: string) => key.slice(-6);
const aborted = (signal: AbortSignal) =>
  new ObjectsError("given up by the caller", { code: "ABORTED", cause: signal.reason });
const away = (retryAfterMs: number) => new ObjectsError("the store is away", { code: "BREAKER_OPEN", retryAfterMs });
const unavailable = () => new ObjectsError("503 Slow Down", { code: "UNAVAILABLE" });

function attempt<T>(work: () => T): { value: T } | { error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}
