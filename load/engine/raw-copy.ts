import { openBuckets } from "../../deploy/local/src/stack/bucket.ts";
import { s3Variables } from "../../deploy/local/src/stack/environment.ts";
import type { Subject } from "../bench/measurement.ts";
import { HelperProcess } from "./helper-process.ts";
import type { Shared } from "./jobs.ts";
import { RAW_COPY, SAMPLE_IDS, SAMPLES_MB } from "./workload.ts";

const TIMEOUT_MS = 60_000;

/** The same files read and sent as parts of one object by the same S3 client, in a process of its own: no archive, no job. */
export function rawCopySubject({ stack }: Shared): Subject {
  const s3 = stack.run().s3;
  const objects = openBuckets(s3Variables(s3));
  let copier: HelperProcess;
  let copies = 0;
  async function measure() {
    const to = `bench/copy-${copies++}`;
    copier.tell({ from: SAMPLE_IDS.map((id) => `downloads/${id}.zip`), to });
    const { tookMs, cpuMicros, rssMib } = await copier.report();
    await objects.results.delete(to, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { rate: (1000 * SAMPLES_MB) / tookMs, cpuMicros: cpuMicros / SAMPLES_MB, rssMib };
  }
  return {
    name: RAW_COPY,
    unit: "MB/s",
    async prepare() {
      copier = await HelperProcess.start(new URL("./raw-copier.ts", import.meta.url), [JSON.stringify(s3)]);
      await measure();
      return null;
    },
    measure,
    async close() {
      objects.close();
      copier?.close();
    },
  };
}
