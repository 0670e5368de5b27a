import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { call } from "./call.ts";
import { crc32Base64 } from "./crc32.ts";
import { type EncryptionSettings, encryption } from "./encryption.ts";
import type { SentPart, Upload, UploadPart, Uploads } from "./objects.ts";
import { ObjectsError } from "./objects-error.ts";
import { transferTimeoutMs } from "./transfer-time.ts";

/** How long a store may take to join the parts: some copy every byte. */
const COMPLETE_TIMEOUT_FACTOR = 10;

/** Multipart uploads of one bucket, with a CRC32 for each part and for the whole object (FULL_OBJECT). */
export class S3Uploads implements Uploads {
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #settings: EncryptionSettings & { s3CallTimeoutMs: number };

  constructor(s3: S3Client, bucket: string, settings: EncryptionSettings & { s3CallTimeoutMs: number }) {
    this.#s3 = s3;
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

  async complete(
    { key, id }: Upload,
    parts: readonly SentPart[],
    { crc32, signal }: { crc32: string; signal: AbortSignal },
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
    const timeoutMs = this.#settings.s3CallTimeoutMs * COMPLETE_TIMEOUT_FACTOR;
    await call(`Completing ${key}`, timeoutMs, signal, (abortSignal) => this.#s3.send(command, { abortSignal }));
  }
}
