/** A pull request that waits at the server, with heartbeats, and the silence that means that it was lost. */
export const WAIT = { expiresMs: 5_000, heartbeatMs: 1_000, silenceMs: 2_500 };

/** Status codes that answer a pull request. Every other one is a refusal: no leader, consumer gone, server going down. */
export const STATUS = { heartbeat: 100, noMessages: 404, expired: 408 };

/** Waits for `batch` messages, at most `WAIT.expiresMs`. */
export const waiting = (batch: number) =>
  JSON.stringify({ batch, expires: WAIT.expiresMs * 1e6, idle_heartbeat: WAIT.heartbeatMs * 1e6 });

/** Takes at most `batch` of the messages that are there and waits for none. */
export const whatIsThere = (batch: number) => JSON.stringify({ batch, no_wait: true });
