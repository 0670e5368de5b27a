import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Queue } from "bullmq";
import { freePorts } from "../../deploy/local/src/supervisor/ports.ts";
import type { Subject } from "../bench/measurement.ts";
import { HelperProcess } from "./helper-process.ts";
import { jobOf } from "./jobs.ts";
import { BULLMQ, NO_OP, NO_OP_JOBS } from "./workload.ts";

const BATCH = 1_000;
/** Jobs that stay after their end. */
const KEPT = 1_000;

/**
 * BullMQ's worker on a Redis that syncs every second, as our NATS does, and that has the queue filled beforehand. Its
 * jobs have ids of the caller's and carry what our work items carry; of those that have ended it keeps 1,000.
 */
export function bullmqSubject(slots: number): Subject {
  const closers: (() => unknown)[] = [];
  let queue: Queue;
  let worker: HelperProcess;
  async function round(count: number) {
    process.kill(worker.pid, "SIGSTOP");
    for (let done = 0; done < count; done += BATCH) {
      await queue.addBulk(Array.from({ length: Math.min(BATCH, count - done) }, bullJob));
    }
    worker.tell({ count });
    process.kill(worker.pid, "SIGCONT");
    const { tookMs, cpuMicros, rssMib } = await worker.report();
    return { rate: (1000 * count) / tookMs, cpuMicros: cpuMicros / count, rssMib };
  }
  return {
    name: BULLMQ,
    unit: "jobs/s",
    async prepare() {
      const folder = await mkdtemp(join(tmpdir(), "longhaul-redis-"));
      closers.push(() => rm(folder, { recursive: true, force: true }));
      const [port = 0] = await freePorts(1);
      const missing = await startRedis(port, folder, closers);
      if (missing !== null) return missing;
      queue = new Queue("bench", { connection: { host: "127.0.0.1", port } });
      closers.push(() => queue.close());
      worker = await HelperProcess.start(new URL("./bullmq-worker.ts", import.meta.url), [`${port}`, `${slots}`]);
      closers.push(() => worker.close());
      await round(NO_OP_JOBS / 10);
      return null;
    },
    measure: () => round(NO_OP_JOBS),
    async close() {
      for (const close of closers.reverse()) await close();
    },
  };
}

function bullJob() {
  const jobId = randomUUID();
  const data = jobOf(jobId, [...NO_OP.fileIds], NO_OP.spec).record;
  return { name: "none", data, opts: { jobId, removeOnComplete: { count: KEPT } } };
}

/** Starts redis-server; gives why it cannot be had, or null. */
async function startRedis(port: number, folder: string, closers: (() => unknown)[]): Promise<string | null> {
  const options = [
    "--port",
    `${port}`,
    "--dir",
    folder,
    "--appendonly",
    "yes",
    "--appendfsync",
    "everysec",
    "--save",
    "",
  ];
  const redis = spawn("redis-server", [...options, "--bind", "127.0.0.1"], { stdio: "ignore" });
  closers.push(() => void redis.kill("SIGKILL"));
  return new Promise((resolve) => {
    redis.once("error", () => resolve("there is no redis-server on the PATH"));
    redis.once("spawn", () => resolve(null));
  });
}
