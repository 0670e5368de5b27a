/** The process that copies objects for comparison: `raw-copier.ts <access to the storage as JSON>` */
import { crc32 } from "node:zlib";
import { openBuckets } from "../../deploy/local/src/stack/bucket.ts";
import { s3Variables } from "../../deploy/local/src/stack/environment.ts";
import { serveOrders } from "./helper-process.ts";

/** As large, and as many at a time, as those of an archive. */
const PART_BYTES = 5 * 1024 ** 2;
const AT_A_TIME = 2;
const TIMEOUT_MS = 120_000;

const { results } = openBuckets(s3Variables(JSON.parse(process.argv[2] ?? "")));

serveOrders<{ from: string[]; to: string }>(async ({ from, to }) => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const id = await results.uploads.create(to, { contentType: "application/octet-stream", signal });
  const sent: { number: number; etag: string; crc32: string }[] = [];
  const running = new Set<Promise<void>>();
  let sizeBytes = 0;
  let whole = 0;
  const send = async (bytes: Buffer, number: number) => {
    const part = { number, bytes, crc32: hex(crc32(bytes)) };
    sent.push({ number, etag: await results.uploads.sendPart({ key: to, id }, part, signal), crc32: part.crc32 });
  };
  let number = 1;
  let part = Buffer.allocUnsafeSlow(PART_BYTES);
  let filled = 0;
  const handOver = async () => {
    const upload = send(part.subarray(0, filled), number++).finally(() => running.delete(upload));
    running.add(upload);
    part = Buffer.allocUnsafeSlow(PART_BYTES);
    filled = 0;
    if (running.size >= AT_A_TIME) await Promise.race(running);
  };
  for (const key of from) {
    for await (const piece of results.open(key, { offset: 0, etag: null, signal })) {
      whole = crc32(piece, whole);
      sizeBytes += piece.length;
      for (let taken = 0; taken < piece.length; ) {
        const some = piece.subarray(taken, taken + PART_BYTES - filled);
        part.set(some, filled);
        filled += some.length;
        taken += some.length;
        if (filled === PART_BYTES) await handOver();
      }
    }
  }
  if (filled > 0) await handOver();
  await Promise.all(running);
  sent.sort((a, b) => a.number - b.number);
  await results.uploads.complete({ key: to, id }, sent, { sizeBytes, crc32: hex(whole), signal });
});

const hex = (crc: number) => crc.toString(16).padStart(8, "0");
