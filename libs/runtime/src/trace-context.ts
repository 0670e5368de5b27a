import type { Random } from "./random.ts";

/** A `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context/), taken apart. */
export type TraceContext = {
  /** 32 lower-case hex digits, not all zero. */
  traceId: string;
  /** 16 lower-case hex digits, not all zero: the span of the sender. */
  parentId: string;
  /** The sender may have recorded its part of the trace. */
  sampled: boolean;
};

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 0x01;

/**
 * Reads a `traceparent` as strictly as the recommendation asks (§3.2.2, §4.3): lower-case hex, ids that are not zero,
 * version ff invalid, nothing after the flags in version 00; of a later version what version 00 knows.
 * @returns null when it is absent or invalid, and then it must be ignored
 */
export function parseTraceparent(header: string | null | undefined): TraceContext | null {
  const [, version, traceId, parentId, flags, rest] = SHAPE.exec(header ?? "") ?? [];
  if (!version || !traceId || !parentId || !flags) return null;
  if (version === "ff" || (version === "00" && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** Writes a `traceparent` of version 00. */
function formatTraceparent({ traceId, parentId, sampled }: TraceContext): string {
  return `00-${traceId}-${parentId}-${sampled ? "01" : "00"}`;
}

/**
 * The `traceparent` of a step below `parent`: the same trace, a new span id, the sender's sampling decision. Without a
 * valid parent it begins a new trace, not sampled, because nothing was recorded of it yet.
 */
export function childOf(parent: string | null | undefined, random: Pick<Random, "hex">): string {
  const context = parseTraceparent(parent);
  return formatTraceparent({
    traceId: context?.traceId ?? random.hex(16),
    parentId: random.hex(8),
    sampled: context?.sampled ?? false,
  });
}

/** The trace id of a `traceparent`, null when it is invalid. */
export function traceIdOf(traceparent: string | null | undefined): string | null {
  return parseTraceparent(traceparent)?.traceId ?? null;
}
