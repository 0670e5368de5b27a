import type { UploadedPart } from "@longhaul/contracts";
import type { Layout } from "../archive/layout.ts";
import { partAt, partStart } from "../archive/parts.ts";
import type { PlannedFile } from "../source/source.ts";

/**
 * Those of the parts that a run can go on from. A file whose source names no version may be another by now, so it is
 * either there as a whole or read again from its begin: from the first such file on that is cut, no part is taken.
 * @param files of the archive, in the order of its entries
 */
export function verifiableParts(
  parts: UploadedPart[],
  layout: Layout,
  partSize: number,
  files: readonly PlannedFile[],
): UploadedPart[] {
  const standing = new Set(parts.map(([number]) => number));
  const isWhole = ({ headerOffset, endOffset }: Layout["places"][number]) => {
    for (let number = partAt(headerOffset, partSize); partStart(number, partSize) < endOffset; number++)
      if (!standing.has(number)) return false;
    return true;
  };
  const cut = layout.places.find((place, i) => files[i]?.etag === null && !isWhole(place));
  if (cut === undefined) return parts;
  return parts.filter(([number]) => partStart(number + 1, partSize) <= cut.headerOffset);
}
