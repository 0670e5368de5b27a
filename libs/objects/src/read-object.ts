import type { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { call } from "./call.ts";
import type { OpenOptions } from "./objects.ts";

/**
 * The bytes of an object from an offset on. Each piece may take as long as a call. The request is ended when the reader
 * stops before the end.
 */
export async function* readObject(
  s3: S3Client,
  bucket: string,
  key: string,
  { offset, etag, signal, timeoutMs }: OpenOptions & { timeoutMs: number },
): AsyncGenerator<Uint8Array> {
  const what = `GET ${key}`;
  const command = new GetObjectCommand({
    Bucket: bucket,
    Key: key,
    ...(offset > 0 ? { Range: `bytes=${offset}-` } : {}),
    ...(etag ? { IfMatch: etag } : {}),
  });
  const { Body } = await call(what, timeoutMs, signal, (abortSignal) => s3.send(command, { abortSignal }));
  // In Node the body is the response itself.
  const body = Body as Readable;
  const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  try {
    for (;;) {
      const { done, value } = await call(`${what} at a piece`, timeoutMs, signal, () => pieces.next());
      if (done) return;
      yield value;
    }
  } finally {
    body.destroy();
  }
}
