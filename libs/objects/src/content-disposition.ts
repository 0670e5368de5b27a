import { INVISIBLE } from "@longhaul/job";

/** Characters that may stand in a value of RFC 8187 as they are (`attr-char`). */
const NOT_ATTR_CHAR = /[^A-Za-z0-9!#$&+.^_`|~-]/g;

/**
 * The value of `Content-Disposition` for saving under `filename` (RFC 6266): an ASCII form for old readers, and the
 * name itself in UTF-8 (RFC 8187). No name can break out of the header: quotes, backslashes, separators of paths and
 * invisible characters do not survive.
 */
export function contentDisposition(filename: string): string {
  const name = filename.toWellFormed().replace(INVISIBLE, "").replace(/[/\\]/g, "_").trim() || "download";
  // Taken apart, wide forms of quotes and slashes become plain ones: they are replaced after that. A percent sign is
  // left out of the ASCII form, because some readers decode it there (RFC 6266, appendix D).
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^ -~]|["%/\\]/gu, "_");
  const ascii = plain.trim() || "download";
  const bytes = Buffer.from(name, "utf8").toString("latin1");
  const utf8 = bytes.replace(
    NOT_ATTR_CHAR,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${utf8}`;
}
