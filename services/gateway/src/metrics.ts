import { METRICS } from "@longhaul/contracts";
import { Counter, Gauge, type Metrics } from "@longhaul/runtime";

/** What the gateway counts, beside the durations of its requests. */
export type GatewayMetrics = {
  created(tier: string): void;
  statusChecked(): void;
};

export type Measured = {
  /** The kind of file that jobs hand out, as a label. */
  fileType: string;
  /** Sockets that are open now. */
  openSockets(): number;
  /** Work items that wait now; rejects while nobody can tell. */
  queueLength(): Promise<number>;
};

export function gatewayMetrics(
  { registry }: Metrics,
  { fileType, openSockets, queueLength }: Measured,
): GatewayMetrics {
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
  new Gauge({
    name: METRICS.queueLength,
    help: "Work items that nobody has been handed yet; every gateway says the same, NaN while it cannot tell",
    registers,
    async collect() {
      this.set(await queueLength().catch(() => Number.NaN));
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
