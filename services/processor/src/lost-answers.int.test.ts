import { connectBus } from "@longhaul/bus";
import type { JobRecord } from "@longhaul/contracts";
import { createLogger } from "@longhaul/runtime";
import { describe, expect, test } from "vitest";
import { startNatsCluster } from "../../../tests/support/nats-cluster.ts";
import { startOwnServer } from "../../../tests/support/own-server.ts";
import { startTcpProxy } from "../../../tests/support/tcp-proxy.ts";
import { until } from "../../../tests/support/until.ts";
import { startWorkerBench, type WorkerBench } from "../../../tests/support/worker-bench.ts";
import type { Completion, Work } from "./job/run.ts";

const PATIENCE_MS = 120_000;
const READY_WITHIN_MS = 60_000;
const UPLOAD = { key: "results/acme/job/key", id: null, partSize: 0 };
const SETUPS = [
  { name: "one server", start: startOneServer },
  { name: "three servers", start: startThreeServers },
];

type Servers = { urls: string[]; replicas: number; remove(): Promise<void> };

async function startOneServer(): Promise<Servers> {
  const { url, remove } = await startOwnServer("nats");
  return { urls: [url], replicas: 1, remove };
}

async function startThreeServers(): Promise<Servers> {
  return { ...(await startNatsCluster()), replicas: 3 };
}

/** A cluster that has just come up elects its leaders first. */
const benchOn = ({ urls: [url = ""], replicas }: Servers) =>
  until("the streams", () => startWorkerBench({ url, replicas }).catch(() => null), READY_WITHIN_MS);

describe.each(SETUPS)("on $name", ({ start }) => {
  test("a worker whose write is stored and whose answer is lost goes on with its run", {
    timeout: PATIENCE_MS,
  }, async () => {
    const servers = await start();
    const bench = await benchOn(servers);
    try {
      for (const url of servers.urls) {
        await loseAnswer(bench, url, "checkpoint");
        await loseAnswer(bench, url, "end");
      }
    } finally {
      await bench.remove();
      await servers.remove();
    }
  });
});

/** The connection breaks after that write of a run was stored and before its answer came. */
async function loseAnswer(bench: WorkerBench, url: string, write: "checkpoint" | "end"): Promise<void> {
  const proxy = await startTcpProxy(Number(new URL(url).port));
  const log = createLogger("test", "silent");
  const bus = await connectBus({ servers: [`nats://127.0.0.1:${proxy.port}`], name: "test-cut-off", log });
  const goOn = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const work: Work = async (record, { checkpoint }) => {
    await goOn.promise;
    await checkpoint({
      checkpoint: { upload: UPLOAD, parts: [], cursor: { entry: 0, offset: 0, crc: "00000000" }, sealed: null },
    });
    await finish.promise;
    return completion(record);
  };
  const worker = bench.startWorker(work, { slots: 1, bus });
  try {
    const id = await bench.create();
    const isCheckpointed = async () => (await bench.record(id)).checkpoint?.upload.key === UPLOAD.key;
    const isCompleted = async () => (await bench.record(id)).status === "completed";
    await until("the job to run", async () => (await bench.record(id)).status === "running");
    const { run } = await bench.record(id);
    if (write === "checkpoint") proxy.swallowAnswers();
    goOn.resolve();
    await until("the checkpoint to be stored", isCheckpointed);
    if (write === "checkpoint") proxy.cut();
    else proxy.swallowAnswers();
    expect(await bench.record(id)).toMatchObject({ status: "running", run, crashes: 0 });
    finish.resolve();
    await until("the end to be stored", isCompleted);
    if (write === "end") proxy.cut();
    await until("the run to be over", () => worker.ends.length > 0);
    expect(worker.ends).toEqual(["completed"]);
    const { failures, crashes, timeline } = await bench.record(id);
    expect({ failures, crashes }).toEqual({ failures: 0, crashes: 0 });
    expect(timeline.map(({ event }) => event)).toEqual(["created", "started", "completed"]);
    await until("the item to be gone", async () => !(await bench.queue.itemAlive(run?.item ?? 0, id)));
  } finally {
    await worker.stop();
    await bus.close();
    await proxy.close();
  }
}

function completion({ progress }: JobRecord): Completion {
  return {
    result: {
      ...{ kind: "borrowed", key: "downloads/70000.zip", filename: "file-70000.zip", sizeBytes: 9 },
      ...{ contentType: "application/zip", crc32: null, partial: false },
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    },
    outcomes: { doneThrough: 1, exceptions: [] },
    progress: { ...progress, filesDone: 1, bytesTotal: 9, bytesDone: 9 },
  };
}
