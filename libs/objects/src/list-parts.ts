import { ListPartsCommand, type S3Client } from "@aws-sdk/client-s3";
import { call } from "./call.ts";
import { crc32FromBase64 } from "./crc32.ts";
import type { ListedPart, Upload } from "./objects.ts";

/** The parts of an upload that are stored, page by page. */
export async function* listParts(
  s3: S3Client,
  bucket: string,
  { key, id }: Upload,
  { signal, timeoutMs, pageSize }: { signal: AbortSignal; timeoutMs: number; pageSize?: number | undefined },
): AsyncGenerator<ListedPart> {
  let after: string | undefined;
  for (;;) {
    const command = new ListPartsCommand({
      Bucket: bucket,
      Key: key,
      UploadId: id,
      MaxParts: pageSize,
      PartNumberMarker: after,
    });
    const { Parts, IsTruncated, NextPartNumberMarker } = await call(
      `Listing the parts of ${key}`,
      timeoutMs,
      signal,
      (abortSignal) => s3.send(command, { abortSignal }),
    );
    for (const { PartNumber, ETag, Size, ChecksumCRC32 } of Parts ?? []) {
      if (PartNumber === undefined || ETag === undefined) continue;
      yield { number: PartNumber, etag: ETag, sizeBytes: Size ?? 0, crc32: crc32FromBase64(ChecksumCRC32) };
    }
    // A store that gives no way to go on is not asked for the same page for ever.
    if (!IsTruncated || !NextPartNumberMarker || NextPartNumberMarker === after) return;
    after = NextPartNumberMarker;
  }
}
