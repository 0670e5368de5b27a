import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment } from "@longhaul/runtime";
import { startStack } from "../../deploy/local/src/stack/start-stack.ts";
import type { Bench } from "../bench/measurement.ts";
import { archiveSubject } from "./archive.ts";
import { bullmqSubject } from "./bullmq.ts";
import { connectJobs } from "./jobs.ts";
import { noOpSubject } from "./no-op-jobs.ts";
import { rawCopySubject } from "./raw-copy.ts";

/** Slots of the processor, and jobs at a time of BullMQ's worker. */
const SLOTS = 200;

/**
 * The job engine alone: one processor process on real servers, without gateway and views. No-op jobs beside BullMQ's
 * no-op worker; bytes of an archive beside the same bytes copied by the same S3 client without an archive.
 */
export const engineBench: Bench = {
  name: "engine",
  rounds: 5,
  async open(say) {
    const dataDir = await mkdtemp(join(tmpdir(), "longhaul-bench-"));
    const stack = await startStack({
      dataDir,
      port: 0,
      counts: { gateway: 0, processor: 1, notifier: 0 },
      env: { ...environment, SLOTS_HIGH: "0", SLOTS_NORMAL: `${SLOTS}`, SLOTS_BATCH: "0", LOG_LEVEL: "warn" },
      say,
    });
    const jobs = await connectJobs(stack.run().nats.url);
    const shared = { stack, jobs };
    return {
      subjects: [noOpSubject(shared), bullmqSubject(SLOTS), archiveSubject(shared), rawCopySubject(shared)],
      servers: [...stack.taken, "nats: one server, synced to disk every second; log level warn"],
      async close() {
        await jobs.close();
        await stack.stop();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  },
};
