import type { JobErrorCode } from "@longhaul/contracts";
import { errorText } from "@longhaul/job";
import type { ArchiveEntry } from "./archive-entry.ts";

/** The entry that says what an archive lacks. No other entry has this name, in whatever case. */
export const MANIFEST_NAME = "_manifest.json";

/** A file of the archive: `name` as in the archive, `crc32` as eight hex digits. */
export type PresentFile = { fileId: number; name: string; sizeBytes: number; crc32: string };
export type MissingFile = { fileId: number; code: JobErrorCode };

const UNKNOWN_CRC32 = "00000000";

/**
 * The manifest, to be the last entry of an archive that lacks files. `present` are the files before it, one for each
 * entry and in their order. It holds the CRC of each, so its bytes are made when all others were read; its length is
 * known at once, because a CRC always has eight digits. The same files give the same bytes.
 */
export function manifestEntry(
  present: readonly (Omit<PresentFile, "crc32"> & { modifiedAt: number })[],
  missing: readonly MissingFile[],
): ArchiveEntry {
  const render = (crc32s: readonly string[]) =>
    manifestBytes(
      present.map((file, i) => ({ ...file, crc32: crc32s[i] ?? UNKNOWN_CRC32 })),
      missing,
    );
  return {
    name: MANIFEST_NAME,
    sizeBytes: render([]).length,
    crc32: null,
    // No clock: the archive of the same files has the same bytes tomorrow.
    modifiedAt: present.reduce((newest, file) => Math.max(newest, file.modifiedAt), 0),
    render,
  };
}

/** The text of the manifest: JSON, one line a file, in the order given. */
export function manifestBytes(present: readonly PresentFile[], missing: readonly MissingFile[]): Buffer {
  const files = present.map(({ fileId, name, sizeBytes, crc32 }) => ({ fileId, name, sizeBytes, crc32 }));
  const absent = missing.map(({ fileId, code }) => ({ fileId, code, reason: errorText(code) }));
  return Buffer.from(
    `{\n"complete": ${missing.length === 0},\n${list("files", files)},\n${list("missing", absent)}\n}\n`,
  );
}

function list(name: string, items: readonly object[]): string {
  const lines = items.map((item) => `\n  ${JSON.stringify(item)}`);
  return `"${name}": [${lines.join(",")}${items.length > 0 ? "\n" : ""}]`;
}
