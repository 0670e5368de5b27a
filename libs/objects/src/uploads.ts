import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  NoSuchKey,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { call } from "./call.ts";
import type { StoreClient } from "./client.ts";
import { crc32Base64, crc32FromBase64 } from "./crc32.ts";
import { type EncryptionSettings, encryption } from "./encryption.ts";
import { listParts } from "./list-parts.ts";
import { listUploads } from "./list-uploads.ts";
import type {
  CompleteOptions,
  CopiedPart,
  ListedPart,
  ListedUpload,
  ObjectRange,
  SentPart,
  Upload,
  UploadPart,
  Uploads,
  UploadsPage,
} from "./objects.ts";
import { ObjectsError } from "./objects-error.ts";
import { transferTimeoutMs } from "./transfer-time.ts";

/** Some stores copy every byte when they join the parts, and may be this slow. */
const SLOWEST_JOIN_BYTES_PER_SECOND = 8 * 1024 ** 2;
/** Parts that were on their way when an upload was aborted are gone after the next abort. */
const ABORTS_MAX = 5;

/** Multipart uploads of one bucket, with a CRC32 for each part and for the whole object (FULL_OBJECT). */
export class S3Uploads implements Uploads {
  readonly #s3: S3Client;
  readonly #patient: S3Client;
  readonly #bucket: string;
  readonly #settings: EncryptionSettings & { s3CallTimeoutMs: number };

  constructor(
    { s3, patient }: StoreClient,
    bucket: string,
    settings: EncryptionSettings & { s3CallTimeoutMs: number },
  ) {
    this.#s3 = s3;
    this.#patient = patient;
    this.#bucket = bucket;
    this.#settings = settings;
  }

  async create(key: string, { contentType, signal }: { contentType: string; signal: AbortSignal }): Promise<string> {
    const command = new CreateMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: key,
      ContentType: contentType,
      ChecksumAlgorithm: "CRC32",
      ChecksumType: "FULL_OBJECT",
      ...encryption(this.#settings),
    });
    const what = `Beginning the upload of ${key}`;
    const { UploadId } = await call(what, this.#settings.s3CallTimeoutMs, signal, (abortSignal) =>
      this.#s3.send(command, { abortSignal }),
    );
    if (!UploadId) throw new ObjectsError(`${what} gave no upload id.`, { code: "UNAVAILABLE" });
    return UploadId;
  }

  async sendPart({ key, id }: Upload, { number, bytes, crc32 }: UploadPart, signal: AbortSignal): Promise<string> {
    const command = new UploadPartCommand({
      Bucket: this.#bucket,
      Key: key,
      UploadId: id,
      PartNumber: number,
      Body: bytes,
      ContentLength: bytes.length,
      ChecksumCRC32: crc32Base64(crc32),
    });
    const what = `Part ${number} of ${key}`;
    const timeoutMs = transferTimeoutMs(bytes.length, this.#settings.s3CallTimeoutMs);
    const { ETag } = await call(what, timeoutMs, signal, (abortSignal) => this.#s3.send(command, { abortSignal }));
    if (!ETag) throw new ObjectsError(`${what} gave no ETag.`, { code: "UNAVAILABLE" });
    return ETag;
  }

  async copyPart(
    { key, id }: Upload,
    number: number,
    { bucket, key: from, etag, offset, length }: ObjectRange,
    signal: AbortSignal,
  ): Promise<CopiedPart> {
    const command = new UploadPartCopyCommand({
      Bucket: this.#bucket,
      Key: key,
      UploadId: id,
      PartNumber: number,
      CopySource: [bucket, ...from.split("/")].map(encodeURIComponent).join("/"),
      CopySourceIfMatch: etag,
      CopySourceRange: `bytes=${offset}-${offset + length - 1}`,
    });
    const what = `Copying part ${number} of ${key} from ${from}`;
    const timeoutMs = transferTimeoutMs(length, this.#settings.s3CallTimeoutMs);
    const { CopyPartResult } = await call(what, timeoutMs, signal, (abortSignal) =>
      this.#patient.send(command, { abortSignal }),
    ).catch(ifSourceIsGone);
    if (!CopyPartResult?.ETag) throw new ObjectsError(`${what} gave no ETag.`, { code: "UNAVAILABLE" });
    const crc32 = crc32FromBase64(CopyPartResult.ChecksumCRC32);
    if (crc32 === null) throw new ObjectsError(`${what} gave no CRC32.`, { code: "UNSUPPORTED" });
    return { etag: quoted(CopyPartResult.ETag), crc32 };
  }

  listParts(upload: Upload, { signal }: { signal: AbortSignal }): AsyncGenerator<ListedPart> {
    return listParts(this.#s3, this.#bucket, upload, { signal, timeoutMs: this.#settings.s3CallTimeoutMs });
  }

  async complete(
    { key, id }: Upload,
    parts: readonly SentPart[],
    { sizeBytes, crc32, signal }: CompleteOptions,
  ): Promise<void> {
    const command = new CompleteMultipartUploadCommand({
      Bucket: this.#bucket,
      Key: key,
      UploadId: id,
      ChecksumType: "FULL_OBJECT",
      ChecksumCRC32: crc32Base64(crc32),
      MultipartUpload: {
        Parts: parts.map((part) => ({
          PartNumber: part.number,
          ETag: part.etag,
          ChecksumCRC32: crc32Base64(part.crc32),
        })),
      },
    });
    const timeoutMs = this.#settings.s3CallTimeoutMs + (sizeBytes / SLOWEST_JOIN_BYTES_PER_SECOND) * 1000;
    await call(`Completing ${key}`, timeoutMs, signal, (abortSignal) => this.#patient.send(command, { abortSignal }));
  }

  async abort(upload: Upload, signal: AbortSignal): Promise<void> {
    for (let sent = 0; sent < ABORTS_MAX; sent++) {
      if (!(await this.#sendAbort(upload, signal)) || !(await this.#hasParts(upload, signal))) return;
    }
    const parts = `The upload ${upload.id} of ${upload.key} still has parts after ${ABORTS_MAX} aborts.`;
    throw new ObjectsError(parts, { code: "UNAVAILABLE" });
  }

  list(prefix: string, options: { from?: UploadsPage | undefined; signal: AbortSignal }): AsyncGenerator<ListedUpload> {
    return listUploads(this.#s3, this.#bucket, prefix, { ...options, timeoutMs: this.#settings.s3CallTimeoutMs });
  }

  /** False when there is no such upload. */
  async #sendAbort({ key, id }: Upload, signal: AbortSignal): Promise<boolean> {
    const command = new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key: key, UploadId: id });
    const what = `Aborting the upload of ${key}`;
    return await unlessGone(what, this.#settings.s3CallTimeoutMs, signal, async (abortSignal) => {
      await this.#s3.send(command, { abortSignal });
      return true;
    });
  }

  /** A part that was being sent while the upload was aborted may have come in after all. */
  async #hasParts({ key, id }: Upload, signal: AbortSignal): Promise<boolean> {
    const command = new ListPartsCommand({ Bucket: this.#bucket, Key: key, UploadId: id, MaxParts: 1 });
    const what = `Listing the parts of ${key}`;
    return await unlessGone(what, this.#settings.s3CallTimeoutMs, signal, async (abortSignal) => {
      const { Parts } = await this.#s3.send(command, { abortSignal });
      return Parts !== undefined && Parts.length > 0;
    });
  }
}

/** What is not there may be the upload or the object. */
function ifSourceIsGone(error: unknown): never {
  const isGone = error instanceof ObjectsError && error.cause instanceof NoSuchKey;
  throw isGone ? new ObjectsError(error.message, { code: "CONFLICT", cause: error.cause }) : error;
}

/** The ETag of a copy as the part is listed with: SeaweedFS (4.48) tells it without the quotes. */
const quoted = (etag: string) => (etag.startsWith('"') ? etag : `"${etag}"`);

/** A `call` about an upload; false when there is no such upload (any more). */
async function unlessGone(...[what, ms, signal, send]: Parameters<typeof call<boolean>>): Promise<boolean> {
  try {
    return await call(what, ms, signal, send);
  } catch (error) {
    if (error instanceof ObjectsError && error.code === "NOT_FOUND") return false;
    throw error;
  }
}
