import type { UploadedPart } from "@longhaul/contracts";
import type { ListedPart } from "../job/ports.ts";

/**
 * The parts that a run goes on from: those that the checkpoint names and of which the store has exactly what was named.
 * Any other part that it lists was sent by a run that may have met other files, and counts as absent.
 * @param bytesOf what a part of this number must have
 */
export function believedParts(
  named: readonly UploadedPart[],
  listed: readonly ListedPart[],
  bytesOf: (number: number) => number,
): UploadedPart[] {
  const stored = Map.groupBy(listed, ({ number }) => number);
  return named.filter(([number, etag, crc32]) =>
    stored
      .get(number)
      ?.some((it) => it.etag === etag && it.sizeBytes === bytesOf(number) && (it.crc32 ?? crc32) === crc32),
  );
}
