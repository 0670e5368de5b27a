import type { Checkpoint, UploadedPart } from "@longhaul/contracts";
import type { Layout } from "../archive/layout.ts";
import { partBytes } from "../archive/parts.ts";
import { cursorOf, type ResumePoint, resumePoint, type StandingPart } from "../archive/resume-point.ts";
import type { SentPart } from "../job/ports.ts";

export type Upload = { key: string; id: string; partSize: number };

const NO_CRC = "00000000";

/** What is stored of an archive that is being uploaded, and how a record says so. */
export class UploadLog {
  readonly upload: Upload;
  readonly #layout: Layout;
  readonly #parts = new Map<number, UploadedPart>();

  /** `parts`: those that stand when the run begins. */
  constructor(layout: Layout, upload: Upload, parts: readonly UploadedPart[]) {
    this.#layout = layout;
    this.upload = upload;
    for (const part of parts) this.#parts.set(part[0], part);
  }

  add({ number, crc32, crcSoFar, foundCrc32s }: StandingPart, etag: string): void {
    this.#parts.set(number, [number, etag, crc32, crcSoFar, ...foundCrc32s]);
  }

  /** Bytes of a part. */
  bytesOf(number: number): number {
    return partBytes(this.#layout, number, this.upload.partSize);
  }

  /** Where a run goes on that knows these parts. */
  point(): ResumePoint {
    const parts = [...this.#parts.values()].map(standing);
    return resumePoint(this.#layout, this.upload.partSize, parts);
  }

  /** The parts of a point as a record has them. */
  named({ standing }: ResumePoint): UploadedPart[] {
    return standing.flatMap(({ number }) => {
      const part = this.#parts.get(number);
      return part === undefined ? [] : [part];
    });
  }

  cursor(point: ResumePoint): Checkpoint["cursor"] {
    return cursorOf(this.#layout, point);
  }
}

/** The parts of a seal, as Complete sends them. */
export const sentParts = (parts: readonly UploadedPart[]): SentPart[] =>
  parts.map(([number, etag, crc32]) => ({ number, etag, crc32 }));

function standing([number, , crc32, crcSoFar = NO_CRC, ...foundCrc32s]: UploadedPart): StandingPart {
  return { number, crc32, crcSoFar, foundCrc32s };
}
