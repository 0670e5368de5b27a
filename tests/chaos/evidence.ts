import { setTimeout as delay } from "node:timers/promises";
import type { Bus, JobStore } from "@longhaul/bus";
import { STREAMS } from "@longhaul/contracts";
import { OWN_FOLDERS } from "@longhaul/job";
import type { Bucket } from "@longhaul/objects";
import { namesObject, namesUpload } from "../sim/checks/named.ts";
import { jobOf } from "../sim/objects/object-client.ts";
import { readBothSides } from "../support/both-sides.ts";
import type { ChaosStack } from "./chaos-stack.ts";
import { type Findings, isViewRight } from "./checks.ts";
import { leaksAtRest } from "./leaks.ts";
import type { Ledger } from "./ledger.ts";

const LOOK_MS = 500;
const LIST_TIMEOUT_MS = 20_000;
const API_TIMEOUT_MS = 5_000;

/** Where to look. */
export type Scene = {
  chaos: ChaosStack;
  bus: Bus;
  jobs: Pick<JobStore, "newest">;
  results: Bucket;
  ledger: Ledger;
  /** The consumers that there were at the beginning. */
  consumers: readonly string[];
};

/**
 * Looks at everything again and again until it is at rest: each job ended or paused, each view as new as its record, no
 * work item left, nothing stored that no record names. Gives what is there then, or after `patienceMs`, at rest or not, and
 * what came to rest last of all.
 */
export async function findAtRest(
  scene: Scene,
  patienceMs: number,
): Promise<{ found: Findings; last: readonly string[] }> {
  const endAt = performance.now() + patienceMs;
  let last: string[] = [];
  for (;;) {
    const found = await find(scene).catch((error: unknown) => {
      if (performance.now() > endAt) throw error;
      return null;
    });
    const open = found ? unrest(found) : last;
    if (found && (open.length === 0 || performance.now() > endAt)) return { found, last };
    last = open;
    await delay(LOOK_MS);
  }
}

async function find(scene: Scene): Promise<Findings> {
  const { chaos, bus, ledger, consumers } = scene;
  const { records, views } = await readBothSides(chaos.stack.run(), [...ledger.accepted.keys()]);
  return {
    records,
    views: new Map([...views].map(([id, { seq, record }]) => [id, { seq, writeId: record.writeId }])),
    itemsLeft: await messagesIn(bus, STREAMS.work),
    unnamed: await unnamed(scene),
    leaks: await leaksAtRest(chaos, bus, consumers),
    deadLetters: await messagesIn(bus, STREAMS.deadLetters),
    poison: ledger.poison,
  };
}

/** Listed first and only then held against the records, as cleanup does it. */
async function unnamed({ results, jobs }: Scene): Promise<string[]> {
  const signal = AbortSignal.timeout(LIST_TIMEOUT_MS);
  const found: { key: string; isUpload: boolean }[] = [];
  for (const folder of OWN_FOLDERS) {
    for await (const { key } of results.uploads.list(folder, { signal })) found.push({ key, isUpload: true });
    for await (const { key } of results.list(folder, { signal })) found.push({ key, isUpload: false });
  }
  const left: string[] = [];
  for (const { key, isUpload } of found) {
    const record = (await jobs.newest(jobOf(key) ?? ""))?.record ?? null;
    const isNamed = isUpload ? namesUpload(record, key) : namesObject(record, key);
    if (!isNamed) left.push(`${isUpload ? "upload" : "object"} ${key}`);
  }
  return left;
}

/** What is not at rest yet. */
function unrest({ records, views, itemsLeft, unnamed, leaks, deadLetters, poison }: Findings): string[] {
  const all = [...records];
  const open = all.filter(([, { record }]) => record.status === "queued" || record.status === "running").length;
  const behind = all.filter(([id, newest]) => !isViewRight(newest, views.get(id))).length;
  return [
    ...(open > 0 ? [`${open} jobs`] : []),
    ...(behind > 0 ? [`${behind} views`] : []),
    ...(itemsLeft > 0 ? [`${itemsLeft} work items`] : []),
    ...(unnamed.length > 0 ? [`${unnamed.length} objects or uploads without a name`] : []),
    ...leaks,
    ...(deadLetters < poison ? ["messages that nobody can read"] : []),
  ];
}

async function messagesIn(bus: Bus, stream: string): Promise<number> {
  const answer = await bus.requests.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeoutMs: API_TIMEOUT_MS });
  const info: { state: { messages: number } } = JSON.parse(Buffer.from(answer.data).toString());
  return info.state.messages;
}
