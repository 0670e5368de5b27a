import { JobFailure } from "../../../services/processor/src/job/job-failure.ts";
import type { ObjectSource, SourceFile } from "../../../services/processor/src/source/source.ts";
import { Prng } from "../kernel/prng.ts";
import type { Process } from "../kernel/process.ts";
import type { World } from "../world.ts";
import { crcOf, type SourceObject } from "./object-server.ts";

const MODIFIED_AT = new Date("2026-01-02T03:04:06.000Z");
const CHUNK_BYTES = 200;

const made = new Map<string, Uint8Array>();

/** The bytes of a file in a version, the same for whoever asks. */
export function sourceBytes(fileId: number, version: number): Uint8Array {
  const name = `${fileId}.${version}`;
  const bytes = made.get(name) ?? makeBytes(fileId, version);
  made.set(name, bytes);
  return bytes;
}

function makeBytes(fileId: number, version: number): Uint8Array {
  const prng = new Prng(fileId + 1_000_000_000 * version);
  return Uint8Array.from({ length: prng.pick([0, 1, 40, 700, 2_500]) }, () => prng.int(0, 255));
}

/** Where the files come from, as one process sees it. Missing files are missing for all of a history. */
export function createSimulatedSource(process: Process, world: World): ObjectSource {
  const prng = world.prng(`source of ${process.name}`);
  const { delayMs, error, rateLimited } = world.options.sources;
  async function trouble(stage: "plan" | "read-source", fileId: number, signal: AbortSignal): Promise<void> {
    await process.clock.sleep(prng.magnitude(...delayMs), signal);
    if (world.strikes(prng, error)) throw new JobFailure({ stage, code: "SOURCE_UNAVAILABLE", fileId });
    if (world.strikes(prng, rateLimited)) {
      const retryAfterMs = prng.int(1, 60) * 1_000;
      throw new JobFailure({ stage, code: "SOURCE_RATE_LIMITED", fileId, retryAfterMs });
    }
  }
  return {
    async find(fileId, signal): Promise<SourceFile> {
      await trouble("plan", fileId, signal);
      if (isMissing(world, fileId)) throw new JobFailure({ stage: "plan", code: "FILE_NOT_FOUND", fileId });
      const version = versionOf(world, fileId);
      const bytes = sourceBytes(fileId, version);
      const crc32 = fileId % 3 === 0 ? crcOf(bytes) : null;
      return {
        fileId,
        name: `${fileId}.bin`,
        key: keyOf(fileId),
        sizeBytes: bytes.length,
        etag: etagOf(fileId, version),
        crc32,
        modifiedAt: MODIFIED_AT,
      };
    },
    async *open(file, offset, signal) {
      await trouble("read-source", file.fileId, signal);
      const version = versionOf(world, file.fileId);
      const bytes = sourceBytes(file.fileId, version);
      if (file.etag === null ? offset > 0 : file.etag !== etagOf(file.fileId, version)) {
        throw new JobFailure({ stage: "read-source", code: "SOURCE_CHANGED", fileId: file.fileId });
      }
      for (let at = offset; at < bytes.length; at += CHUNK_BYTES) {
        if (world.strikes(prng, error)) throw new JobFailure({ stage: "read-source", code: "SOURCE_UNAVAILABLE" });
        signal.throwIfAborted();
        yield bytes.subarray(at, at + CHUNK_BYTES);
      }
    },
  };
}

/** Where a file lies. */
export const placeOf = ({ fileId }: Pick<SourceFile, "fileId">) => ({ bucket: "sources", key: keyOf(fileId) });

const keyOf = (fileId: number) => `downloads/${fileId}.bin`;

/** The object of a file as it is now, by its key. */
export function sourceObjectAt(world: World, key: string): SourceObject | null {
  const fileId = Number(/^downloads\/(\d+)\.bin$/.exec(key)?.[1] ?? Number.NaN);
  if (Number.isNaN(fileId) || isMissing(world, fileId)) return null;
  const version = versionOf(world, fileId);
  return { etag: etagOf(fileId, version), bytes: sourceBytes(fileId, version) };
}

/** Some sources do not tell the versions of a file apart. */
const etagOf = (fileId: number, version: number): string | null => (fileId % 5 === 0 ? null : `"v${version}"`);

/** 0, and 1 from the time on at which the file becomes another one. */
export function versionOf(world: World, fileId: number): number {
  const { sources, faultsEndMs } = world.options;
  const prng = new Prng(world.seed ^ fileId).fork("change");
  return prng.chance(sources.changing) && world.now >= prng.int(0, faultsEndMs) ? 1 : 0;
}

export function isMissing(world: World, fileId: number): boolean {
  return new Prng(world.seed ^ fileId).chance(world.options.sources.missing);
}
