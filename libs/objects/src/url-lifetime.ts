/** Signed URLs of Signature Version 4 live seven days at most. */
const LONGEST_SECONDS = 7 * 86_400;

/**
 * How long a signed URL will live, in whole seconds: as asked, but never longer than the credentials that sign it, for
 * it dies with them.
 * @param expiration end of the signer's session; undefined = its credentials do not expire
 */
export function urlLifetimeSeconds(askedSeconds: number, now: Date, expiration: Date | undefined): number {
  const sessionSeconds = expiration ? Math.floor((expiration.getTime() - now.getTime()) / 1000) : LONGEST_SECONDS;
  return Math.max(1, Math.min(Math.floor(askedSeconds), LONGEST_SECONDS, sessionSeconds));
}
