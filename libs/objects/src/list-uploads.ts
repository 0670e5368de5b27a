import { ListMultipartUploadsCommand, type ListMultipartUploadsCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { call } from "./call.ts";
import type { ListedUpload, UploadsPage } from "./objects.ts";
import { ObjectsError } from "./objects-error.ts";

/** `from`: the first page; left out: that of the first upload. */
export type ListUploadsOptions = {
  from?: UploadsPage | undefined;
  signal: AbortSignal;
  timeoutMs: number;
  pageSize?: number;
};

/**
 * Unfinished uploads whose key begins with `prefix`, page by page.
 *
 * Stores differ in what they take as the beginning of a page. AWS gives and takes a key and an upload id, SeaweedFS
 * (4.48) gives and takes an upload id only, in whose order it lists, and the Versity gateway (1.7) gives both but
 * refuses every upload id. There the key alone is taken, which leaves out further uploads of that key; they are found
 * when those before them are gone.
 */
export async function* listUploads(
  s3: S3Client,
  bucket: string,
  prefix: string,
  { from = {}, signal, timeoutMs, pageSize }: ListUploadsOptions,
): AsyncGenerator<ListedUpload> {
  const listed = (page: UploadsPage): Promise<ListMultipartUploadsCommandOutput> => {
    const command = new ListMultipartUploadsCommand({
      Bucket: bucket,
      Prefix: prefix,
      MaxUploads: pageSize,
      ...page,
    });
    return call(`Listing the uploads of ${prefix}`, timeoutMs, signal, (abortSignal) =>
      s3.send(command, { abortSignal }),
    );
  };
  let page = from;
  for (;;) {
    const {
      Uploads = [],
      IsTruncated,
      NextKeyMarker,
      NextUploadIdMarker,
    } = await listed(page).catch((error) => {
      const refused = error instanceof ObjectsError && error.code === "REJECTED";
      if (!refused || !page.KeyMarker || !page.UploadIdMarker) throw error;
      return listed({ KeyMarker: page.KeyMarker });
    });
    for (const { Key, UploadId, Initiated } of Uploads) {
      if (Key && UploadId) yield { key: Key, id: UploadId, startedAt: Initiated ?? new Date(0), page };
    }
    const next = { KeyMarker: NextKeyMarker || undefined, UploadIdMarker: NextUploadIdMarker || undefined };
    const further = next.KeyMarker !== page.KeyMarker || next.UploadIdMarker !== page.UploadIdMarker;
    if (!IsTruncated || !further) return;
    page = next;
  }
}
