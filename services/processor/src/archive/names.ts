import { INVISIBLE } from "@longhaul/job";
import { MANIFEST_NAME } from "./manifest.ts";

/** What file systems allow for one name between two slashes, in bytes of UTF-8 (ext4, APFS, NTFS, ZFS). */
const SEGMENT_MAX_BYTES = 255;
/** Of a whole path. Linux stops at 4096 with the folder that it is extracted to. */
const NAME_MAX_BYTES = 2048;
/** A longer "extension" is just a name with a dot in it. */
const EXTENSION_MAX_BYTES = 32;
const NAMELESS = "unnamed";

/** Not allowed in names on Windows; the colon also makes drive letters and NTFS streams. */
const FORBIDDEN = /[<>:"|?*]/g;
/** Windows drops dots and blanks at the end, so that two names become one, and ".." something else than it was. */
const EDGES = /^\s+|[\s.]+$/gu;
/** Devices on Windows, with any extension ("Naming Files, Paths, and Namespaces", Win32 documentation). */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)/iu;

/**
 * A name that extracts to the same place below the chosen folder on every system: relative, with `/` between its
 * segments, in NFC, without `.`, `..`, drive letters, reserved or invisible characters, device names, and names too
 * long for a file system. What is safe already stays as it is.
 */
export function safeEntryName(name: string): string {
  const raw = name.toWellFormed().split(/[/\\]/);
  const segments: string[] = [];
  // From the end, which says most about a file, for as many segments as a path has room for.
  for (let room = NAME_MAX_BYTES; raw.length > 0; ) {
    const segment = safeSegment(raw.pop() ?? "");
    if (segment === "") continue;
    room -= Buffer.byteLength(segment) + 1;
    if (room < 0) break;
    segments.unshift(segment);
  }
  return segments.join("/") || NAMELESS;
}

/**
 * Safe names for the entries of one archive, no two of which meet in a file system that ignores case: the second
 * `a.zip` becomes `a (2).zip`. The same names in the same order give the same result; the manifest's name is never used.
 */
export function entryNames(names: readonly string[]): string[] {
  const taken = new TakenNames();
  taken.place(MANIFEST_NAME);
  return names.map((name) => taken.place(safeEntryName(name)));
}

function safeSegment(raw: string): string {
  const visible = raw.replace(INVISIBLE, "").normalize("NFC");
  const segment = shortened(visible.replace(FORBIDDEN, "_").replace(EDGES, ""), "");
  // Last, because only what is cut off may have told it from a device.
  return RESERVED.test(segment) ? shortened(`_${segment}`, "") : segment;
}

/** `segment` with `suffix` before its extension, and so much of its stem dropped that all of it fits. */
function shortened(segment: string, suffix: string): string {
  // As it is, and not put together anew: an archive of 100,000 files then shares their names with its plan.
  if (suffix === "" && Buffer.byteLength(segment) <= SEGMENT_MAX_BYTES) return segment;
  const { stem, extension } = splitExtension(segment);
  const end = suffix + extension;
  const begin = prefixOf(stem, SEGMENT_MAX_BYTES - Buffer.byteLength(end));
  return end === "" ? begin.replace(EDGES, "") : begin + end;
}

function splitExtension(segment: string): { stem: string; extension: string } {
  const dot = segment.lastIndexOf(".");
  const extension = segment.slice(dot);
  if (dot <= 0 || Buffer.byteLength(extension) > EXTENSION_MAX_BYTES) return { stem: segment, extension: "" };
  return { stem: segment.slice(0, dot), extension };
}

/** The longest begin of `text` that has at most `maxBytes` in UTF-8 and splits no character. */
function prefixOf(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  // Bytes 10xxxxxx go on with a character that began before.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}

/** Equal for names that some file system takes for the same. Too many are harmless: one is renamed in vain. */
function folded(name: string): string {
  return name.toLowerCase().toUpperCase().normalize("NFC");
}

/** The files and folders of an archive so far. */
class TakenNames {
  readonly #kinds = new Map<string, "file" | "folder">();
  /** The number to try next for a name, so that many equal names need no search from 2 on. */
  readonly #next = new Map<string, number>();

  /** Takes `name`, or a numbered form of it; folders on its way are shared, but not with a file. */
  place(name: string): string {
    const segments = name.split("/");
    const file = segments.pop() ?? NAMELESS;
    let path = "";
    for (const folder of segments) path = `${this.#take(path + folder, "folder")}/`;
    return this.#take(path + file, "file");
  }

  #take(path: string, kind: "file" | "folder"): string {
    const isFree = (key: string) => !this.#kinds.has(key) || (kind === "folder" && this.#kinds.get(key) === "folder");
    const key = folded(path);
    let chosen = path;
    if (!isFree(key)) {
      let number = this.#next.get(`${kind} ${key}`) ?? 2;
      do {
        chosen = numbered(path, number);
        number += 1;
      } while (!isFree(folded(chosen)));
      // A folder's number stays: the next file of that folder goes to the same one.
      this.#next.set(`${kind} ${key}`, kind === "folder" ? number - 1 : number);
    }
    this.#kinds.set(folded(chosen), kind);
    return chosen;
  }
}

function numbered(path: string, number: number): string {
  const slash = path.lastIndexOf("/") + 1;
  return path.slice(0, slash) + shortened(path.slice(slash), ` (${number})`);
}
