/** The process that the reference of the no-op jobs is measured in: `bullmq-worker.ts <port of Redis> <jobs at a time>` */
import { Worker } from "bullmq";
import { serveOrders } from "./helper-process.ts";

const [port, concurrency] = process.argv.slice(2).map(Number);
let completed = 0;
let wanted = Number.POSITIVE_INFINITY;
let onDone = () => {};

const worker = new Worker("bench", async () => null, {
  connection: { host: "127.0.0.1", port: port ?? 0 },
  concurrency: concurrency ?? 1,
});
worker.on("completed", () => {
  completed++;
  if (completed >= wanted) onDone();
});
await worker.waitUntilReady();

serveOrders<{ count: number }>(({ count }) => {
  wanted = count;
  return new Promise((resolve) => {
    onDone = () => {
      completed = 0;
      wanted = Number.POSITIVE_INFINITY;
      resolve();
    };
    if (completed >= wanted) onDone();
  });
});
