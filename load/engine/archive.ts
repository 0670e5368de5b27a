import { setTimeout as delay } from "node:timers/promises";
import { putSamples } from "../../deploy/local/src/samples/put-samples.ts";
import { openBuckets } from "../../deploy/local/src/stack/bucket.ts";
import { s3Variables } from "../../deploy/local/src/stack/environment.ts";
import type { Subject } from "../bench/measurement.ts";
import type { Shared } from "./jobs.ts";
import { processorUsage } from "./processor-usage.ts";
import { RAW_COPY, SAMPLE_IDS, SAMPLES, SAMPLES_MB } from "./workload.ts";

const GIVE_UP_AFTER_MS = 120_000;
const LOOK_EVERY_MS = 200;

/** One archive of sixteen files, from the claim of its job to its end. */
export function archiveSubject({ stack, jobs }: Shared): Subject {
  const objects = openBuckets(s3Variables(stack.run().s3));
  async function measure() {
    const before = await processorUsage(stack);
    const id = await jobs.create(SAMPLE_IDS, { sourceKind: "s3", archive: "zip" });
    const over = new AbortController();
    const most = mostRss(() => processorUsage(stack), over.signal);
    const record = await jobs.completed(id, GIVE_UP_AFTER_MS).finally(() => over.abort());
    const after = await processorUsage(stack);
    const { startedAt, completedAt, result } = record;
    const seconds = (Date.parse(completedAt ?? "") - Date.parse(startedAt ?? "")) / 1000;
    await objects.results.delete(result?.key ?? "", { signal: AbortSignal.timeout(GIVE_UP_AFTER_MS) });
    const cpuMicros = (after.cpuMicros - before.cpuMicros) / SAMPLES_MB;
    return { rate: SAMPLES_MB / seconds, cpuMicros, rssMib: Math.max(await most, after.rssMib) };
  }
  return {
    name: "archive of 16 files",
    against: RAW_COPY,
    unit: "MB/s",
    async prepare() {
      await putSamples(stack.run().s3, SAMPLES);
      await measure();
      return null;
    },
    measure,
    async close() {
      objects.close();
    },
  };
}

async function mostRss(usage: () => Promise<{ rssMib: number }>, signal: AbortSignal): Promise<number> {
  let most = 0;
  while (!signal.aborted) {
    most = Math.max(most, (await usage()).rssMib);
    await delay(LOOK_EVERY_MS);
  }
  return most;
}
