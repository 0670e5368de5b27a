import type { Puller } from "@longhaul/bus";
import { METRICS } from "@longhaul/contracts";
import type { Objects } from "@longhaul/objects";
import { type Breaker, Gauge, type HealthRegistry, type Logger, type Metrics } from "@longhaul/runtime";

/** Says in logs, metrics and health when a breaker opens and closes. */
export type BreakerWatch = {
  /** A dependency of the breaker's name is down while it is open. */
  watch(breaker: Breaker): void;
};

export function createBreakerWatch(deps: { metrics: Metrics; health: HealthRegistry; log: Logger }): BreakerWatch {
  const open = new Gauge({
    name: METRICS.breakerOpen,
    help: "1 while no calls are made because too many failed, else 0",
    labelNames: ["breaker"],
    registers: [deps.metrics.registry],
  });
  return {
    watch(breaker) {
      const labels = { breaker: breaker.name };
      open.set(labels, 0);
      // Of a web source nobody knows a call that could be its ping: the breaker alone tells how it is.
      deps.health.expectReports(breaker.name);
      breaker.onChange((isOpen) => {
        open.set(labels, isOpen ? 1 : 0);
        deps.health.report(breaker.name, isOpen ? "down" : "up");
        if (isOpen) {
          const fields = { ...labels, retryAfterMs: Math.round(breaker.retryAfterMs) };
          deps.log.warn(fields, "most of its calls fail: none is made until a probe succeeds, and jobs wait");
        } else deps.log.info(labels, "it is well again: calls are made, and jobs go on");
      });
    },
  };
}

/**
 * While the store of the results is away no job can be done, so none is pulled. A source elsewhere does not count: others
 * may not need it.
 * @returns ends that
 */
export function pauseWhileAway({ results }: Pick<Objects, "results">, puller: Puller): () => void {
  const { breaker } = results;
  if (breaker?.isOpen) puller.pause();
  return breaker?.onChange((isOpen) => (isOpen ? puller.pause() : puller.resume())) ?? (() => {});
}
