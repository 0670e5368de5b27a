import { processInfo } from "../supervisor/process-info.ts";
import { until } from "../supervisor/until.ts";
import type { RunFile } from "./run-file.ts";
import { servicePath } from "./services.ts";

const GRACE_MS = 20_000;

type Entry = RunFile["processes"][number];

/**
 * Ends what a stack that was killed may have left running: it holds ports and the data. A number in the run file may
 * belong to another program by now, so only a process with the command line of ours is touched.
 */
export async function endLeftovers(run: RunFile, say: (line: string) => void): Promise<void> {
  const left: Entry[] = [];
  for (const entry of run.processes) {
    if (await isOurs(entry, run.dataDir)) {
      left.push(entry);
      say(`ending ${entry.name} (process ${entry.pid}), left by a stack that was killed`);
      signal(entry.pid, "SIGTERM");
    }
  }
  for (const entry of left) {
    if (!(await until(async () => !(await isOurs(entry, run.dataDir)), { timeoutMs: GRACE_MS }))) {
      signal(entry.pid, "SIGKILL");
    }
  }
}

async function isOurs({ name, pid }: Entry, dataDir: string): Promise<boolean> {
  const info = await processInfo(pid);
  const mark = name === "gateway" || name === "processor" || name === "notifier" ? servicePath(name) : dataDir;
  return info?.commandLine.includes(mark) ?? false;
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended by itself.
  }
}
