import type { Environment } from "@longhaul/runtime";
import type { ProcessSpec } from "../supervisor/supervised-process.ts";
import type { FoundServer } from "./find-server.ts";

/** What a server module is given to plan a start. */
export type PlanOptions = {
  server: FoundServer;
  /** The stack's data folder; each program keeps its data in a folder of its own inside it. */
  dataDir: string;
  logDir: string;
  env: Environment;
  /** False (default true) for throw-away data: the database does not sync each commit, and a server is simply ended. */
  keepsData?: boolean;
};

/** A process to start and the address that clients will find it at. */
export type ServerPlan = { spec: ProcessSpec; url: string };

export const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 20_000;

/** Time to write down what is in memory; throw-away data needs none. */
export function serverGraceMs(keepsData: boolean): number {
  return keepsData ? STOP_GRACE_MS : 0;
}
