/** What no file system should be asked to take: controls, direction marks, separators and what Windows reserves. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>:"/\\|?*]/gu;
/** Device names of Windows, with any extension. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;
const EDGES = /^\s+|[\s.]+$/g;

/**
 * The name under which a result is offered, made safe for whoever saves it: one segment, NFC, nothing hidden in it.
 * @returns null when nothing of it is left; the job then chooses a name itself
 */
export function safeResultName(name: string): string | null {
  const safe = name.toWellFormed().normalize("NFC").replaceAll(UNSAFE, "_").replaceAll(EDGES, "");
  if (safe === "") return null;
  return RESERVED.test(safe) ? `_${safe}` : safe;
}
