import { compareVersions, parseVersion, type Version } from "@longhaul/job";

/** Matches every version. */
export type NamedVersion = Version | "*" | null;

const ENTITY_TAG = /(?:W\/)?"([^"]*)"/g;

/** The newest version that an `If-None-Match` names (RFC 9110 §13.1.2); null when it names none of ours. */
export function namedVersion(ifNoneMatch: string | undefined): NamedVersion {
  if (ifNoneMatch === undefined) return null;
  if (ifNoneMatch.trim() === "*") return "*";
  let newest: Version | null = null;
  for (const [, tag = ""] of ifNoneMatch.matchAll(ENTITY_TAG)) {
    const version = parseVersion(tag);
    if (version !== null && (newest === null || compareVersions(version, newest) > 0)) newest = version;
  }
  return newest;
}

/**
 * Whether a client that knows `named` knows the state `current`. The same write with more progress than we have heard of
 * is current too: the client heard it on another gateway.
 */
export function isCurrent(named: NamedVersion, current: Version): boolean {
  if (named === null) return false;
  return named === "*" || compareVersions(named, current) >= 0;
}
