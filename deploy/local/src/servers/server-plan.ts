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
};

/** A process to start and the address that clients will find it at. */
export type ServerPlan = { spec: ProcessSpec; url: string };

export const READY_TIMEOUT_MS = 60_000;
export const STOP_GRACE_MS = 10_000;
