/** Something did not end in time. */
export class TimeoutError extends Error {
  readonly code = "TIMEOUT";
  override readonly name = "TimeoutError";

  constructor(what: string, ms: number) {
    super(`${what} did not end within ${ms} ms.`);
  }
}

/**
 * Runs `work` with a deadline. Its signal is aborted at the deadline, or with the caller's reason when `signal` is
 * aborted; the returned promise is settled at that moment, also when the work ignores its signal.
 * @param what names the work in the error: "The ping of NATS"
 * @throws TimeoutError (code `TIMEOUT`) after `ms` milliseconds; the caller's reason when `signal` is aborted
 */
export async function withTimeout<T>(
  work: (signal: AbortSignal) => Promise<T>,
  ms: number,
  what: string,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const stop = (reason: unknown) => {
    controller.abort(reason);
    stopped.reject(reason);
  };
  const timer = setTimeout(() => stop(new TimeoutError(what, ms)), ms);
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work(controller.signal), stopped.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
