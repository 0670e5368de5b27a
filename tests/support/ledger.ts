import { connectBus, createCore } from "@longhaul/bus";
import { createLogger } from "@longhaul/runtime";

const ENDS = new Set(["completed", "failed", "cancelled", "expired", "erased"]);

/** Every end of every job that the bus told of since the ledger was opened. */
export type Ledger = {
  /** Ends by job and generation: `<id>/<generation>` → statuses, in order. */
  ends: Map<string, string[]>;
  close(): Promise<void>;
};

/** Watches the stored writes from outside, apart from the code under test's own idea of what happened. */
export async function openLedger(natsUrl: string): Promise<Ledger> {
  const log = createLogger("ledger", "error");
  const bus = await connectBus({ servers: [natsUrl], name: "test-ledger", log });
  const ends = new Map<string, string[]>();
  createCore(bus, log).subscribeStored("*", ({ record }) => {
    if (!ENDS.has(record.status)) return;
    const key = `${record.id}/${record.generation}`;
    ends.set(key, [...(ends.get(key) ?? []), record.status]);
  });
  await bus.ping(5_000);
  return { ends, close: () => bus.close() };
}
