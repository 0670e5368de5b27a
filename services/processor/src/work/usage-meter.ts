import type { Usage } from "@longhaul/contracts";
import type { ResultStore } from "../job/ports.ts";
import type { PlannedFile, Source } from "../source/source.ts";

/** What a job has used: what its earlier runs said, and what passes through here in this one. */
export class UsageMeter {
  readonly #before: Usage;
  #bytesRead = 0;
  #bytesWritten = 0;
  #s3Calls = 0;
  #copies = 0;

  constructor(before: Usage) {
    this.#before = before;
  }

  /** Of all runs so far. */
  get usage(): Usage {
    const before = this.#before;
    return {
      ...before,
      bytesRead: before.bytesRead + this.#bytesRead,
      bytesWritten: before.bytesWritten + this.#bytesWritten,
      s3Calls: before.s3Calls + this.#s3Calls,
      copies: before.copies + this.#copies,
    };
  }

  /** The source, counted. `isS3`: its calls are S3's. */
  source(source: Source, { isS3 }: { isS3: boolean }): Source {
    const called = () => {
      if (isS3) this.#s3Calls += 1;
    };
    const read = (bytes: number) => {
      this.#bytesRead += bytes;
    };
    return {
      find(fileId, signal) {
        called();
        return source.find(fileId, signal);
      },
      async *open(file: PlannedFile, offset, signal) {
        called();
        for await (const piece of source.open(file, offset, signal)) {
          read(piece.length);
          yield piece;
        }
      },
    };
  }

  /** The store of results, counted. */
  store(store: ResultStore): ResultStore {
    const counted = <T>(call: Promise<T>): Promise<T> => {
      this.#s3Calls += 1;
      return call;
    };
    return {
      put: async (key, bytes, options) => {
        await counted(store.put(key, bytes, options));
        this.#bytesWritten += bytes.length;
      },
      createUpload: (key, options) => counted(store.createUpload(key, options)),
      uploadPart: async (upload, part, signal) => {
        const etag = await counted(store.uploadPart(upload, part, signal));
        this.#bytesWritten += part.bytes.length;
        return etag;
      },
      copyPart: async (upload, number, from, signal) => {
        const copied = await counted(store.copyPart(upload, number, from, signal));
        this.#copies += 1;
        return copied;
      },
      listParts: (upload, options) => counted(store.listParts(upload, options)),
      completeUpload: (upload, parts, options) => counted(store.completeUpload(upload, parts, options)),
      head: (key, options) => counted(store.head(key, options)),
    };
  }
}
