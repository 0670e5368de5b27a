import { type PayloadKind, type PayloadRef, payloadContent } from "@longhaul/contracts";
import { fitsInRecord, type InlineMaxBytes } from "@longhaul/job";
import { ObjectsError, type ObjectsErrorCode } from "@longhaul/objects";
import type { z } from "zod";
import { JobFailure } from "../job/job-failure.ts";
import type { Payloads } from "../job/ports.ts";
import { type Failure, storing } from "./storing.ts";
import type { UsageMeter } from "./usage-meter.ts";

type Lists = { [K in PayloadKind]: z.infer<(typeof payloadContent)[K]> };
/** A list as a record has it. */
export type StoredList<K extends PayloadKind> = Lists[K] | { ref: PayloadRef };

/**
 * The lists of a record that grow with its files: in the record while they are short, else in object storage. Every call
 * fails with a `JobFailure`; a list that is lost or damaged is INTERNAL, unless the reader can do without it.
 */
export class RecordLists {
  readonly #payloads: Payloads;
  readonly #inlineMaxBytes: InlineMaxBytes | undefined;

  /** `inlineMaxBytes`: how long a list in a record may be, where it differs from the rule. */
  constructor(payloads: Payloads, inlineMaxBytes?: InlineMaxBytes) {
    this.#payloads = payloads;
    this.#inlineMaxBytes = inlineMaxBytes;
  }

  /** The same, with every call counted. */
  countedBy(meter: UsageMeter): RecordLists {
    return new RecordLists(meter.payloads(this.#payloads), this.#inlineMaxBytes);
  }

  /**
   * What the record is to say of a list. Asked for just before the record is written: a payload that no record names
   * for `ORPHAN_AGE_SECONDS` is swept.
   */
  async keep<K extends PayloadKind>(
    kind: K,
    list: Lists[K],
    { tenant, id }: { tenant: string; id: string },
    signal: AbortSignal,
  ): Promise<StoredList<K>> {
    if (fitsInRecord(kind, list, this.#inlineMaxBytes)) return list;
    return { ref: await storing(() => this.#payloads.put({ tenant, id }, list, signal), failureOf) };
  }

  /** The list that a record speaks of. */
  async read<K extends PayloadKind>(kind: K, stored: StoredList<K>, signal: AbortSignal): Promise<Lists[K]> {
    if (!("ref" in stored)) return stored;
    const content = await storing(() => this.#payloads.get(stored.ref, signal), failureOf);
    return payloadContent[kind].parse(content) as Lists[K];
  }

  /** As `read`, but null for a list that is lost or damaged: for one that can be made again. */
  async find<K extends PayloadKind>(kind: K, stored: StoredList<K>, signal: AbortSignal): Promise<Lists[K] | null> {
    try {
      return await this.read(kind, stored, signal);
    } catch (error) {
      const cause = error instanceof JobFailure ? error.cause : null;
      if (cause instanceof ObjectsError && LOST.includes(cause.code)) return null;
      throw error;
    }
  }
}

const LOST: readonly ObjectsErrorCode[] = ["NOT_FOUND", "DAMAGED"];

/** A list that is lost or too large stays so, however often it is tried. */
const failureOf = ({ code }: ObjectsError): Failure => ({
  stage: "plan",
  code: LOST.includes(code) || code === "REJECTED" ? "INTERNAL" : "S3_UPLOAD_FAILED",
});
