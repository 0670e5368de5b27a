import { Readable } from "node:stream";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Settings, s3Config } from "@longhaul/runtime";
import { exactly, sendBody } from "./body.ts";
import { call } from "./call.ts";
import type { StoreClient } from "./client.ts";
import { contentDisposition } from "./content-disposition.ts";
import { crc32Base64, crc32FromBase64 } from "./crc32.ts";
import { type EncryptionSettings, encryption } from "./encryption.ts";
import type {
  Bucket,
  ListedObject,
  ObjectHead,
  OpenOptions,
  PresignOptions,
  PutOptions,
  SignedUrl,
  Uploads,
} from "./objects.ts";
import { ObjectsError } from "./objects-error.ts";
import { readObject } from "./read-object.ts";
import { transferTimeoutMs } from "./transfer-time.ts";
import { S3Uploads } from "./uploads.ts";
import { urlLifetimeSeconds } from "./url-lifetime.ts";

export type BucketSettings = EncryptionSettings & Pick<Settings<typeof s3Config>, "s3CallTimeoutMs">;

/** Headers that a page must be able to read in order to save, to resume and to check a download. */
const EXPOSED_HEADERS = ["Content-Disposition", "Content-Length", "Content-Range", "Accept-Ranges", "ETag"];
const NEVER_STORE = "no-cache, no-store, must-revalidate";

export class S3Bucket implements Bucket {
  readonly name: string;
  readonly breaker = null;
  readonly uploads: Uploads;
  readonly #client: StoreClient;
  readonly #settings: BucketSettings;

  constructor(client: StoreClient, name: string, settings: BucketSettings) {
    this.#client = client;
    this.name = name;
    this.#settings = settings;
    this.uploads = new S3Uploads(client, name, settings);
  }

  async head(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectHead | null> {
    const command = new HeadObjectCommand({ Bucket: this.name, Key: key, ChecksumMode: "ENABLED" });
    try {
      return toHead(
        await this.#call(`HEAD ${key}`, signal, (abortSignal) => this.#client.s3.send(command, { abortSignal })),
      );
    } catch (error) {
      if (error instanceof ObjectsError && error.code === "NOT_FOUND") return null;
      throw error;
    }
  }

  open(key: string, options: OpenOptions): AsyncIterable<Uint8Array> {
    return readObject(this.#client.patient, this.name, key, { ...options, timeoutMs: this.#settings.s3CallTimeoutMs });
  }

  async presignGet(key: string, { filename, contentType, ttlSeconds }: PresignOptions): Promise<SignedUrl> {
    const command = new GetObjectCommand({
      Bucket: this.name,
      Key: key,
      ResponseContentDisposition: contentDisposition(filename),
      ResponseContentType: contentType,
      ResponseCacheControl: NEVER_STORE,
    });
    return await this.#call(`Signing ${key}`, undefined, async () => {
      const signingDate = new Date();
      const { expiration } = await this.#client.signer.config.credentials();
      const expiresIn = urlLifetimeSeconds(ttlSeconds, signingDate, expiration);
      const url = await getSignedUrl(this.#client.signer, command, { expiresIn, signingDate });
      return { url, expiresAt: new Date(signingDate.getTime() + expiresIn * 1000) };
    });
  }

  async put(
    key: string,
    body: Uint8Array | Readable,
    { sizeBytes, contentType, crc32, signal }: PutOptions,
  ): Promise<{ etag: string }> {
    const sent = body instanceof Readable ? exactly(body, sizeBytes) : body;
    const command = new PutObjectCommand({
      Bucket: this.name,
      Key: key,
      Body: sent,
      ContentLength: sizeBytes,
      ContentType: contentType,
      ...(crc32 ? { ChecksumCRC32: crc32Base64(crc32) } : {}),
      ...encryption(this.#settings),
    });
    const timeoutMs = transferTimeoutMs(sizeBytes, this.#settings.s3CallTimeoutMs);
    const output = await call(`PUT ${key}`, timeoutMs, signal, (abortSignal) =>
      sendBody(sent, abortSignal, (stop) => this.#client.s3.send(command, { abortSignal: stop })),
    );
    return { etag: output.ETag ?? "" };
  }

  async *list(
    prefix: string,
    { after, signal }: { after?: string | undefined; signal?: AbortSignal } = {},
  ): AsyncGenerator<ListedObject> {
    const what = { Bucket: this.name, Prefix: prefix, StartAfter: after };
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({ ...what, ContinuationToken: token });
      const page = await this.#call(`LIST ${prefix}`, signal, (abortSignal) =>
        this.#client.s3.send(command, { abortSignal }),
      );
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key !== undefined) yield { key: Key, sizeBytes: Size ?? 0, lastModified: LastModified ?? new Date(0) };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(key: string, { signal }: { signal: AbortSignal }): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.name, Key: key });
    await this.#call(`DELETE ${key}`, signal, (abortSignal) => this.#client.s3.send(command, { abortSignal }));
  }

  async ensure({ origins, signal }: { origins: readonly string[]; signal?: AbortSignal }): Promise<void> {
    await this.#create(signal);
    const rule = {
      AllowedOrigins: [...origins],
      AllowedMethods: ["GET", "HEAD"],
      AllowedHeaders: ["*"],
      ExposeHeaders: EXPOSED_HEADERS,
      MaxAgeSeconds: 3600,
    };
    const command = new PutBucketCorsCommand({ Bucket: this.name, CORSConfiguration: { CORSRules: [rule] } });
    try {
      await this.#call(`CORS of ${this.name}`, signal, (abortSignal) => this.#client.s3.send(command, { abortSignal }));
    } catch (error) {
      // Such a store decides by its own settings which pages may read it.
      if (!(error instanceof ObjectsError && error.code === "UNSUPPORTED")) throw error;
    }
  }

  async ping(signal?: AbortSignal): Promise<void> {
    const command = new HeadBucketCommand({ Bucket: this.name });
    try {
      await this.#call(`HEAD of bucket ${this.name}`, signal, (abortSignal) =>
        this.#client.s3.send(command, { abortSignal }),
      );
    } catch (error) {
      // The answer to a HEAD has no body and so no code: here a 404 can only mean the bucket.
      if (!(error instanceof ObjectsError && error.code === "NOT_FOUND")) throw error;
      throw new ObjectsError(`There is no bucket ${this.name}.`, { code: "NO_BUCKET", cause: error });
    }
  }

  async #create(signal: AbortSignal | undefined): Promise<void> {
    try {
      return await this.ping(signal);
    } catch (error) {
      if (!(error instanceof ObjectsError && error.code === "NO_BUCKET")) throw error;
    }
    const command = new CreateBucketCommand({ Bucket: this.name });
    try {
      await this.#call(`Making ${this.name}`, signal, (abortSignal) => this.#client.s3.send(command, { abortSignal }));
    } catch (error) {
      // Somebody else may have made it in the meantime; whether it is ours is for the ping to say.
      if (!(error instanceof ObjectsError && error.code === "CONFLICT")) throw error;
      await this.ping(signal);
    }
  }

  #call<T>(what: string, signal: AbortSignal | undefined, send: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    return call(what, this.#settings.s3CallTimeoutMs, signal, send);
  }
}

function toHead(output: HeadObjectCommandOutput): ObjectHead {
  // Of an object made of parts the sum may be of the parts' sums (COMPOSITE), and says nothing about the whole.
  const isWhole = output.ChecksumType !== "COMPOSITE";
  return {
    sizeBytes: output.ContentLength ?? 0,
    etag: output.ETag ?? "",
    contentType: output.ContentType ?? "application/octet-stream",
    crc32: isWhole ? crc32FromBase64(output.ChecksumCRC32) : null,
    lastModified: output.LastModified ?? new Date(0),
  };
}
