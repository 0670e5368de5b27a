import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { JobRecord, StoredRecord } from "@longhaul/contracts";
import type { Bucket } from "@longhaul/objects";
import { seededSha256 } from "../../deploy/local/src/samples/seeded-bytes.ts";
import { listWith, ZIP_TOOLS } from "../../services/processor/src/archive/testing/zip-tools.ts";
import { LARGE, type Shelf, SMALL } from "./asks.ts";
import type { Broken } from "./checks.ts";

const TOOL_TIMEOUT_MS = 60_000;
/** Archives that are opened and compared with their sources; of the others size and checksum are looked at. */
const MOST_OPENED = 15;

/** Whether every completed job names an object that is there and holds its sources' bytes. */
export async function brokenResults(
  records: Iterable<{ record: StoredRecord }>,
  results: Bucket,
  dataDir: string,
): Promise<Broken[]> {
  const completed = [...records].flatMap(({ record }) => (record.status === "completed" ? [record] : []));
  const folder = join(dataDir, "archives");
  await mkdir(folder, { recursive: true });
  const broken: Broken[] = [];
  let opened = 0;
  for (const record of completed) {
    const what = (await wrongObject(record, results)) ?? (opened < MOST_OPENED ? await wrongBytes() : null);
    if (what !== null) broken.push({ job: record.id, what });

    async function wrongBytes(): Promise<string | null> {
      if (record.result?.kind !== "owned") return null;
      opened++;
      const path = join(folder, `${record.id}.zip`);
      const body = Readable.from(open(record.result.key ?? "", results));
      await pipeline(body, createWriteStream(path));
      try {
        return await wrongEntry(record, path);
      } finally {
        await rm(path);
      }
    }
  }
  return broken;
}

async function wrongObject({ result }: JobRecord, results: Bucket): Promise<string | null> {
  const head = await results.head(result?.key ?? "");
  if (!head) return `lost: its result ${result?.key} is not there`;
  if (result?.kind === "borrowed") return null;
  if (head.sizeBytes !== result?.sizeBytes) return `its result has ${head.sizeBytes} bytes, not ${result?.sizeBytes}`;
  return (head.crc32 ?? result.crc32) === result.crc32 ? null : `its result has another checksum than ${result.crc32}`;
}

async function wrongEntry({ spec, result }: JobRecord, path: string): Promise<string | null> {
  const python = ZIP_TOOLS.find(({ command }) => command === "python3");
  if (!python) throw new Error("there is no tool that lists archives");
  const lines = (await listWith(python, [path], TOOL_TIMEOUT_MS)).get(path) ?? [];
  const entries = new Map(lines.map((line) => line.split("\t")).map(([name = "", size, sha]) => [name, { size, sha }]));
  for (const fileId of spec.fileIds ?? []) {
    const entry = entries.get(`${fileId}.zip`);
    if (!entry) {
      if (result?.partial) continue;
      return `its archive lacks file ${fileId}`;
    }
    // The content follows from id and size. A file that changes may be there in any of its versions, but whole.
    const shelf = [SMALL, LARGE].find((one) => holds(one, fileId));
    const isSized = shelf === undefined || entry.size === `${shelf.sizeBytes}`;
    if (!isSized || entry.sha !== seededSha256(fileId, Number(entry.size))) {
      return `file ${fileId} in its archive is not its source`;
    }
  }
  return null;
}

const holds = ({ firstId, files }: Shelf, fileId: number) => fileId >= firstId && fileId < firstId + files;

const open = (key: string, results: Bucket) =>
  results.open(key, { offset: 0, etag: null, signal: AbortSignal.timeout(TOOL_TIMEOUT_MS) });
