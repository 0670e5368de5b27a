import { readFile, stat } from "node:fs/promises";
import { environment } from "@longhaul/runtime";
import { runCommand } from "../run-command.ts";

const PS_TIMEOUT_MS = 5_000;
const CLOCK_TOLERANCE_MS = 2_000;
/** Linux counts process times in hundredths of a second, whatever the kernel's own clock is. */
const TICKS_PER_SECOND = 100;

export type ProcessInfo = {
  /** Milliseconds since 1970; null where the system does not tell. */
  startedAt: number | null;
  commandLine: string;
};

/** What the system knows about a process; null when there is none with this number. */
export async function processInfo(pid: number): Promise<ProcessInfo | null> {
  return isThere(pid) ? (process.platform === "linux" ? fromProc(pid) : fromPs(pid)) : null;
}

/** Whether `pid` is a process that ran at `time`: one that began later only got the number of another. */
export async function isSameProcess(pid: number, time: number): Promise<boolean> {
  const info = await processInfo(pid);
  return info !== null && (info.startedAt === null || info.startedAt <= time + CLOCK_TOLERANCE_MS);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function fromProc(pid: number): Promise<ProcessInfo | null> {
  const [status, commandLine, system] = await Promise.all(
    [`/proc/${pid}/stat`, `/proc/${pid}/cmdline`, "/proc/stat"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  if (!status || (await stat(`/proc/${pid}`).catch(() => null)) === null) {
    return null;
  }
  // "pid (name) state …": the name may contain anything, so count from its closing bracket; a zombie has ended.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z") {
    return null;
  }
  const bootedAt = Number(/^btime (\d+)$/m.exec(system ?? "")?.[1]);
  const startedAt = (bootedAt + Number(fields[19]) / TICKS_PER_SECOND) * 1000;
  return {
    startedAt: Number.isFinite(startedAt) ? startedAt : null,
    commandLine: (commandLine ?? "").replaceAll("\0", " "),
  };
}

async function fromPs(pid: number): Promise<ProcessInfo | null> {
  const ps = (column: string) =>
    runCommand("ps", ["-o", `${column}=`, "-p", `${pid}`], { env: environment, timeoutMs: PS_TIMEOUT_MS });
  const [started, commandLine] = [await ps("lstart"), await ps("args")];
  const startedAt = Date.parse(started.output);
  return { startedAt: Number.isNaN(startedAt) ? null : startedAt, commandLine: commandLine.output };
}
