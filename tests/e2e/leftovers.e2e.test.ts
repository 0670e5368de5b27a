import type { Objects } from "@longhaul/objects";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { createDownload, follow, getJob, type Job, request } from "../support/download-client.ts";
import { openObjects } from "../support/objects.ts";
import { findS3, type OwnS3, S3_SERVERS, startS3 } from "../support/own-s3.ts";
import { startTestStack, type TestStack } from "../support/test-stack.ts";
import { until } from "../support/until.ts";

const { signal } = new AbortController();
const FIRST_ID = 70_000;
const LARGE_ID = 80_000;
const LARGE_BYTES = 60_000_000;

for (const implementation of S3_SERVERS) {
  const server = await findS3(implementation);
  describe(implementation, () => {
    beforeEach(({ skip }) => skip(!server, `${implementation} is not in the cache`));
    let own: OwnS3;
    let stack: TestStack;
    let objects: Objects;

    beforeAll(async () => {
      if (!server) return;
      own = await startS3(server);
      const env = { MAX_ATTEMPTS: "1", FILE_TRIES: "1" };
      stack = await startTestStack({ servers: { mongodbUrl: inject("mongodbUrl"), s3: own }, env });
      objects = openObjects(stack.run().s3);
      await stack.seed(FIRST_ID, 2, 1000);
      await stack.seed(LARGE_ID, 4, LARGE_BYTES);
    });
    afterAll(async () => {
      objects?.close();
      await stack?.dispose();
      await own?.remove();
    });

    /** Uploads and objects under our folders, of one job or of all. */
    async function remains(id = ""): Promise<string[]> {
      const found: string[] = [];
      for (const folder of ["results/", "payload/"]) {
        for await (const { key } of objects.results.uploads.list(folder, { signal })) found.push(`upload ${key}`);
        for await (const { key } of objects.results.list(folder)) found.push(key);
      }
      return found.filter((key) => key.includes(id));
    }
    const nothingRemains = (id: string) =>
      until(`nothing of ${id} is left`, async () => (await remains(id)).length === 0);
    const send = (id: string, method: string, command = "") =>
      request<Job>(`${stack.baseUrl}/v1/downloads/${id}${command}`, { method, headers: { "x-user-id": "ann" } });
    const slotIsFree = () =>
      until("the slot to be free", async () => {
        const metrics = stack.run().processes.find((process) => process.name === "processor")?.ports.metrics;
        const { body } = await request<string>(`http://127.0.0.1:${metrics}/metrics`);
        return /download_worker_utilization\S* 0$/m.test(body);
      });

    /** A job of large files, in the middle of its upload. */
    async function uploading(): Promise<string> {
      const { body } = await createDownload(
        stack.baseUrl,
        [0, 1, 2, 3].map((i) => LARGE_ID + i),
      );
      await until("the upload to have begun", async () =>
        (await remains(body.id)).some((key) => key.startsWith("upload")),
      );
      await until("bytes to be on their way", async () => {
        const job = (await getJob(stack.baseUrl, body.id)).body;
        return job.progress.bytesDone > 0;
      });
      return body.id;
    }

    test("a cancel in the middle of an upload leaves no upload and no part", async () => {
      const id = await uploading();
      expect((await send(id, "POST", "/cancel")).body).toMatchObject({ status: "cancelled" });
      await nothingRemains(id);
      await slotIsFree();
      expect(await remains(id)).toEqual([]);
    });

    test("deleting a running job leaves nothing either, and deleting a finished one takes its result", async () => {
      const running = await uploading();
      expect((await send(running, "DELETE")).status).toBe(204);
      await nothingRemains(running);
      await slotIsFree();
      expect(await remains(running)).toEqual([]);

      const { body } = await createDownload(stack.baseUrl, [FIRST_ID, FIRST_ID + 1]);
      const { frames } = await follow(stack.baseUrl, body.id);
      expect(frames.at(-1)?.job).toMatchObject({ status: "completed" });
      expect(await remains(body.id)).toHaveLength(1);
      expect((await send(body.id, "DELETE")).status).toBe(204);
      await nothingRemains(body.id);
      expect((await getJob(stack.baseUrl, body.id)).status).toBe(404);
    });

    test("a job that fails in the middle of its upload leaves nothing", async () => {
      const id = await uploading();
      for (const i of [2, 3]) await objects.source.delete(`downloads/${LARGE_ID + i}.zip`, { signal });
      await until("the job to fail", async () => (await getJob(stack.baseUrl, id)).body.status === "failed", 60_000);
      await nothingRemains(id);
    });
  });
}
