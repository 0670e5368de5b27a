import type { PayloadKind } from "@longhaul/contracts";

const KIB = 1024;

export type InlineMaxBytes = Readonly<Record<PayloadKind, number>>;

/**
 * How many bytes of JSON a list may have inside a record; a longer one goes to object storage. `parts` counts twice,
 * once for the checkpoint and once for its seal. Together they leave 35 KiB of `RECORD_MAX_BYTES` for all the
 * rest: 8 of metadata, and at the most 22 of timeline and texts.
 */
const INLINE_MAX_BYTES: InlineMaxBytes = {
  // 1,000 ids and more: jobs of the usual size can be created while object storage is away.
  fileIds: 12 * KIB,
  plan: 8 * KIB,
  parts: 3 * KIB,
  exceptions: 3 * KIB,
};

/** Whether a list is short enough to lie in the record itself, whatever else the record holds. */
export function fitsInRecord(
  kind: PayloadKind,
  list: readonly unknown[],
  maxBytes: InlineMaxBytes = INLINE_MAX_BYTES,
): boolean {
  // Each item takes a character and a comma: of a list that is far too long no text has to be made.
  return 2 * list.length <= maxBytes[kind] && Buffer.byteLength(JSON.stringify(list)) <= maxBytes[kind];
}
