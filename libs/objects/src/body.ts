import { Readable } from "node:stream";
import { ObjectsError } from "./objects-error.ts";

/** The stream, failing as soon as it turns out to be longer or shorter than it should be: S3 would wait for the rest. */
export function exactly(body: Readable, sizeBytes: number): Readable {
  async function* counted() {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += Buffer.byteLength(chunk);
      if (bytes > sizeBytes) break;
      yield chunk;
    }
    if (bytes !== sizeBytes)
      throw new Error(`${bytes < sizeBytes ? "only" : "at least"} ${bytes} of ${sizeBytes} bytes came`);
  }
  return Readable.from(counted(), { objectMode: false });
}

/**
 * Sends a request with a body. The SDK does not look at a stream's errors: here they end the request at once, and
 * however the request ends, the stream is closed with what it holds (a file, a socket).
 * @throws ObjectsError `BODY_FAILED` when the stream failed
 */
export async function sendBody<T>(
  body: Uint8Array | Readable,
  signal: AbortSignal,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (!(body instanceof Readable)) return await send(signal);
  const stop = new AbortController();
  const failure = new Promise<never>((_, reject) => {
    body.on("error", (cause) => {
      reject(
        new ObjectsError(`The bytes to be written could not be read: ${cause.message}`, { code: "BODY_FAILED", cause }),
      );
      stop.abort(cause);
    });
  });
  try {
    return await Promise.race([send(AbortSignal.any([signal, stop.signal])), failure]);
  } finally {
    body.destroy();
  }
}
