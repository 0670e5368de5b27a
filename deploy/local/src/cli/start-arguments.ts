import { resolve } from "node:path";
import type { Environment } from "@longhaul/runtime";
import type { Counts } from "../stack/services.ts";
import { type Flags, parseFlags, parseWhole } from "./arguments.ts";

const PORT_BOUNDS = { min: 1, max: 65_535 };
const MOST_PROCESSES = 32;

const FLAGS = {
  port: { kind: "number", ...PORT_BOUNDS, placeholder: "N", help: "the first gateway's port (PORT, else 8080)" },
  data: { kind: "text", placeholder: "DIR", help: "the data folder (.longhaul)" },
  gateways: { kind: "number", min: 1, max: MOST_PROCESSES, placeholder: "N", help: "how many gateways (1)" },
  processors: { kind: "number", min: 0, max: MOST_PROCESSES, placeholder: "N", help: "how many processors (1)" },
  notifiers: { kind: "number", min: 0, max: MOST_PROCESSES, placeholder: "N", help: "how many notifiers (1)" },
} as const satisfies Flags;

export type StartArguments = { dataDir: string; port: number; counts: Counts };

/** What `npm start` was asked for. The command line beats the environment, the environment the defaults. */
export function startArguments(argv: readonly string[], env: Environment): StartArguments {
  const values = parseFlags("npm start -- [flags]", FLAGS, argv);
  return {
    dataDir: resolve(values.data ?? ".longhaul"),
    port: values.port ?? (env.PORT ? parseWhole("PORT", env.PORT, PORT_BOUNDS) : 8080),
    counts: { gateway: values.gateways ?? 1, processor: values.processors ?? 1, notifier: values.notifiers ?? 1 },
  };
}
