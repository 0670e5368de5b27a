import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { openPromise } from "yauzl";
import { seededSha256 } from "../samples/seeded-bytes.ts";
import { StackError } from "../stack-error.ts";

/** Opens a ZIP with a reader that is not ours and compares every entry with its sample. Throws at the first difference. */
export async function checkArchive(
  path: string,
  fileIds: readonly number[],
  sizeBytes: number,
  onEntry: (checked: number) => void,
): Promise<void> {
  const names = new Map(fileIds.map((fileId) => [`${fileId}.zip`, fileId]));
  const zip = await openPromise(path);
  try {
    for await (const entry of zip.eachEntry()) {
      const fileId = names.get(entry.fileName);
      if (fileId === undefined) throw differs(`it holds ${entry.fileName}, which was not asked for`);
      const hash = createHash("sha256");
      await pipeline(await zip.openReadStreamPromise(entry), hash);
      if (hash.digest("hex") !== seededSha256(fileId, sizeBytes)) throw differs(`${entry.fileName} is not its source`);
      names.delete(entry.fileName);
      onEntry(fileIds.length - names.size);
    }
  } finally {
    zip.close();
  }
  if (names.size > 0) throw differs(`it lacks ${[...names.keys()].join(", ")}`);
}

const differs = (what: string) =>
  new StackError(`The archive is not what was asked for: ${what}.`, { code: "DEMO_FAILED" });
