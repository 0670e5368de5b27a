const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const FORCED_EXIT_CODE = 130;
/** npm passes on a Ctrl-C that the terminal has sent to this process as well: two signals within this time are one. */
const ONE_PRESS_MS = 300;

export type StopSignals = {
  /** Aborted by the first signal. */
  signal: AbortSignal;
  /** Resolves at the first signal. */
  requested: Promise<void>;
  /** What to do at the second one, before the process ends with 130. */
  onForced(force: () => void): void;
};

/** Takes over this process's signals: the first asks for an orderly stop, a second one for one at once. */
export function onStopSignals(): StopSignals {
  const controller = new AbortController();
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  let force = () => {};
  let firstAt: number | null = null;
  const receive = () => {
    if (firstAt === null) {
      firstAt = performance.now();
      controller.abort();
      resolve();
    } else if (performance.now() - firstAt > ONE_PRESS_MS) {
      force();
      process.exit(FORCED_EXIT_CODE);
    }
  };
  for (const signal of SIGNALS) {
    process.on(signal, receive);
  }
  return {
    signal: controller.signal,
    requested,
    onForced: (then) => {
      force = then;
    },
  };
}
