import { collectDefaultMetrics, Registry } from "prom-client";

export { Counter, Gauge, Histogram } from "prom-client";

export type Metrics = {
  /** Each service registers its own metrics here, by the names in `METRICS` of the contracts. */
  registry: Registry;
};

/** A registry of its own for one service, with the process's default metrics; every series carries `service`. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return { registry };
}
