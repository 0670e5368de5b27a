import type { Payloads, ResultStore } from "../job/ports.ts";
import type { WorkContext } from "../job/run.ts";
import type { PlannedFile, Source } from "../source/source.ts";

/** Most parts in a page of a store's list. */
const PARTS_PER_PAGE = 1000;

/** Tells a run what its work uses: whatever passes through here. */
export class UsageMeter {
  readonly #used: WorkContext["used"];

  constructor(used: WorkContext["used"]) {
    this.#used = used;
  }

  /** The source, counted. `isS3`: its calls are S3's. */
  source(source: Source, { isS3 }: { isS3: boolean }): Source {
    const used = this.#used;
    const called = () => {
      if (isS3) used({ s3Calls: 1 });
    };
    return {
      find(fileId, signal) {
        called();
        return source.find(fileId, signal);
      },
      async *open(file: PlannedFile, offset, signal) {
        called();
        for await (const piece of source.open(file, offset, signal)) {
          used({ bytesRead: piece.length });
          yield piece;
        }
      },
    };
  }

  /** The store of results, counted. */
  store(store: ResultStore): ResultStore {
    const used = this.#used;
    const counted = <T>(call: Promise<T>): Promise<T> => {
      used({ s3Calls: 1 });
      return call;
    };
    return {
      put: async (key, bytes, options) => {
        await counted(store.put(key, bytes, options));
        used({ bytesWritten: bytes.length });
      },
      createUpload: (key, options) => counted(store.createUpload(key, options)),
      uploadPart: async (upload, part, signal) => {
        const etag = await counted(store.uploadPart(upload, part, signal));
        used({ bytesWritten: part.bytes.length });
        return etag;
      },
      copyPart: async (upload, number, from, signal) => {
        const copied = await counted(store.copyPart(upload, number, from, signal));
        used({ copies: 1 });
        return copied;
      },
      listParts: async (upload, options) => {
        const listed = await counted(store.listParts(upload, options));
        // The first page was counted before it was there.
        used({ s3Calls: Math.max(0, Math.ceil(listed.length / PARTS_PER_PAGE) - 1) });
        return listed;
      },
      completeUpload: (upload, parts, options) => counted(store.completeUpload(upload, parts, options)),
      head: (key, options) => counted(store.head(key, options)),
    };
  }

  /** Where long lists lie, with its calls counted. The bytes of a job are those of its files and its result. */
  payloads(payloads: Payloads): Payloads {
    const used = this.#used;
    return {
      put: (...put) => {
        used({ s3Calls: 1 });
        return payloads.put(...put);
      },
      get: (...get) => {
        used({ s3Calls: 1 });
        return payloads.get(...get);
      },
    };
  }
}
