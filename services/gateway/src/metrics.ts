import { METRICS } from "@longhaul/contracts";
import { Counter, Gauge, type Metrics } from "@longhaul/runtime";

/** What the gateway counts, beside the durations of its requests. */
export type GatewayMetrics = {
  created(tier: string): void;
  statusChecked(): void;
};

/**
 * @param fileType the kind of file that jobs hand out, as a label
 * @param openSockets how many sockets are open now
 */
export function gatewayMetrics({ registry }: Metrics, fileType: string, openSockets: () => number): GatewayMetrics {
  const registers = [registry];
  const initiated = new Counter({ name: METRICS.initiated, help: "Downloads that were accepted", registers });
  const started = new Counter({
    name: METRICS.downloadsStarted,
    help: "Downloads that were accepted, by tier and kind of file",
    labelNames: ["user_tier", "file_type"],
    registers,
  });
  const statusChecks = new Counter({
    name: METRICS.statusChecks,
    help: "Times that a job's status was asked for",
    registers,
  });
  new Gauge({
    name: METRICS.socketsOpen,
    help: "WebSockets that are open now",
    registers,
    collect() {
      this.set(openSockets());
    },
  });
  return {
    created(tier) {
      initiated.inc();
      started.inc({ user_tier: tier, file_type: fileType });
    },
    statusChecked: () => statusChecks.inc(),
  };
}
