import { crc32 } from "node:zlib";
import { ObjectsError } from "../../../libs/objects/src/objects-error.ts";
import type { ListedPart, SentPart } from "../../../services/processor/src/job/ports.ts";

type StoredPart = { etag: string; bytes: Uint8Array };
type Upload = { key: string; parts: Map<number, StoredPart>; startedAt: Date };
export type SourceObject = { etag: string | null; bytes: Uint8Array };
type ObjectRange = { key: string; etag: string; offset: number; length: number };
type Meeting = "made" | "listed";
type Awaited = { what: Meeting; key: string; then(): void };
type Removed = (what: "upload" | "object", key: string) => void;

/**
 * The simulated object store: whole objects and multipart uploads, with the refusals of S3. A lenient one compares neither
 * ETags nor checksums and keeps none, as some stores do that call themselves compatible.
 */
export class ObjectServer {
  readonly #lenient: boolean;
  readonly objects = new Map<string, Uint8Array>();
  readonly uploads = new Map<string, Upload>();
  readonly #now: () => number;
  readonly #sourceAt: (key: string) => SourceObject | null;
  readonly #modifiedAt = new Map<string, Date>();
  readonly #removedListeners: Removed[] = [];
  readonly #waitingListeners: ((what: Meeting, keyOrPrefix: string) => void)[] = [];
  #awaited: Awaited[] = [];
  #uploadsBegun = 0;
  #partsSent = 0;

  /** `now`: milliseconds since the epoch. `sourceAt`: the object that lies under a key of the sources. */
  constructor({ lenient }: { lenient: boolean }, now: () => number, sourceAt: (key: string) => SourceObject | null) {
    this.#lenient = lenient;
    this.#now = now;
    this.#sourceAt = sourceAt;
  }

  put(key: string, bytes: Uint8Array, crc: string): void {
    this.#compare(bytes, crc, key);
    this.#store(key, copyOf(bytes));
  }

  get(key: string): Uint8Array {
    const bytes = this.objects.get(key);
    if (!bytes) throw new ObjectsError("NoSuchKey", { code: "NOT_FOUND" });
    return bytes;
  }

  createUpload(key: string): string {
    const id = `upload-${++this.#uploadsBegun}`;
    this.#meet("made", key);
    this.uploads.set(id, { key, parts: new Map(), startedAt: new Date(this.#now()) });
    return id;
  }

  uploadPart(upload: { key: string; id: string }, part: { number: number; bytes: Uint8Array; crc32: string }): string {
    this.#compare(part.bytes, part.crc32, `part ${part.number} of ${upload.key}`);
    return this.#keepPart(upload, part.number, copyOf(part.bytes));
  }

  /** A lenient store does not tell the CRC of what it has copied, so that nobody can use it. */
  copyPart(upload: { key: string; id: string }, number: number, from: ObjectRange): { etag: string; crc32: string } {
    const source = this.#sourceAt(from.key);
    if (source?.etag !== from.etag) throw new ObjectsError("PreconditionFailed", { code: "CONFLICT" });
    if (from.offset + from.length > source.bytes.length) throw rejected("InvalidArgument: the range");
    const bytes = copyOf(source.bytes.subarray(from.offset, from.offset + from.length));
    const etag = this.#keepPart(upload, number, bytes);
    if (this.#lenient) throw new ObjectsError("no CRC32", { code: "UNSUPPORTED" });
    return { etag, crc32: crcOf(bytes) };
  }

  listParts(upload: { key: string; id: string }): ListedPart[] {
    return [...this.#open(upload).parts].map(([number, { etag, bytes }]) => {
      return { number, etag, sizeBytes: bytes.length, crc32: this.#lenient ? null : crcOf(bytes) };
    });
  }

  completeUpload(upload: { key: string; id: string }, parts: readonly SentPart[], crc: string): void {
    const stored = this.#open(upload).parts;
    if (parts.length === 0) throw rejected("an upload needs a part");
    const pieces = parts.map((part, i) => {
      const before = parts[i - 1];
      if (before && before.number >= part.number) throw rejected("InvalidPartOrder");
      const piece = stored.get(part.number);
      if (!piece || (piece.etag !== part.etag && !this.#lenient)) throw rejected(`InvalidPart: ${part.number}`);
      return piece.bytes;
    });
    const bytes = Buffer.concat(pieces);
    this.#compare(bytes, crc, upload.key);
    this.uploads.delete(upload.id);
    this.#store(upload.key, bytes);
  }

  /** Told of each upload that is aborted and each object that is deleted, before it is gone. */
  onRemoved(listener: Removed): void {
    this.#removedListeners.push(listener);
  }

  listUploads(prefix: string): { key: string; id: string; startedAt: Date }[] {
    const all = [...this.uploads].map(([id, { key, startedAt }]) => ({ key, id, startedAt }));
    return all.filter(({ key }) => key.startsWith(prefix));
  }

  /** Calls `then` once: when next something is `made` under this prefix, or objects are `listed` that this key is among. */
  once(what: Meeting, keyOrPrefix: string, then: () => void): void {
    this.#awaited.push({ what, key: keyOrPrefix, then });
    for (const listener of this.#waitingListeners) listener(what, keyOrPrefix);
  }

  /** Told of each request that is to arrive after something has been `made` or `listed`. */
  onWaiting(listener: (what: Meeting, keyOrPrefix: string) => void): void {
    this.#waitingListeners.push(listener);
  }

  listObjects(prefix: string, after: string): { key: string; lastModified: Date }[] {
    this.#meet("listed", prefix);
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    return keys.map((key) => ({ key, lastModified: this.#modifiedAt.get(key) ?? new Date(0) }));
  }

  abortUpload({ key, id }: { key: string; id: string }): void {
    if (this.uploads.get(id)?.key !== key) return;
    for (const listener of this.#removedListeners) listener("upload", key);
    this.uploads.delete(id);
  }

  delete(key: string): void {
    if (!this.objects.has(key)) return;
    for (const listener of this.#removedListeners) listener("object", key);
    this.objects.delete(key);
  }

  head(key: string): { sizeBytes: number; crc32: string | null } | null {
    const bytes = this.objects.get(key);
    return bytes ? { sizeBytes: bytes.length, crc32: this.#lenient ? null : crcOf(bytes) } : null;
  }

  #meet(what: Meeting, now: string): void {
    const isMet = (key: string) => (what === "made" ? now.startsWith(key) : key.startsWith(now));
    const met = this.#awaited.filter((one) => one.what === what && isMet(one.key));
    if (met.length === 0) return;
    this.#awaited = this.#awaited.filter((one) => !met.includes(one));
    for (const { then } of met) then();
  }

  #keepPart(upload: { key: string; id: string }, number: number, bytes: Uint8Array): string {
    const { parts } = this.#open(upload);
    if (number < 1 || number > 10_000) throw rejected("part numbers are 1…10,000");
    // No two parts share an ETag here, so a Complete that names the wrong one of two equal parts is found out.
    const etag = `"part-${++this.#partsSent}"`;
    parts.set(number, { etag, bytes });
    return etag;
  }

  #store(key: string, bytes: Uint8Array): void {
    this.#meet("made", key);
    this.objects.set(key, bytes);
    this.#modifiedAt.set(key, new Date(this.#now()));
  }

  #compare(bytes: Uint8Array, crc: string, what: string): void {
    if (!this.#lenient && crcOf(bytes) !== crc) throw rejected(`BadDigest: ${what}`);
  }

  #open({ key, id }: { key: string; id: string }): Upload {
    const upload = this.uploads.get(id);
    if (upload?.key !== key) throw new ObjectsError("NoSuchUpload", { code: "NOT_FOUND" });
    return upload;
  }
}

/** CRC-32 as 8 hex digits. */
export const crcOf = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, "0");

/** The caller may use its memory again. (`slice` of a Buffer would share it.) */
const copyOf = (bytes: Uint8Array) => Uint8Array.from(bytes);

const rejected = (message: string) => new ObjectsError(message, { code: "REJECTED" });
