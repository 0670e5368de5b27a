import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StackError } from "../stack-error.ts";
import { isSameProcess } from "../supervisor/process-info.ts";
import { endLeftovers } from "./leftovers.ts";
import { type RunFile, readRunFile, removeRunFile, runFilePath } from "./run-file.ts";

/**
 * Takes a data folder for this process: refuses one that a living stack works on, clears away what a killed one left.
 * Returns the function that gives it back.
 */
export async function takeDataFolder(dataDir: string, say: (line: string) => void): Promise<() => Promise<void>> {
  await makeFolder(dataDir);
  const previous = await readRunFile(dataDir);
  if (previous && (await isHeld(runFilePath(dataDir), previous.pid))) {
    throw alreadyRunning(dataDir, previous.pid, previous.baseUrl);
  }
  const unlock = await lock(dataDir);
  if (previous) {
    await endLeftovers(previous, say);
  }
  await removeRunFile(dataDir);
  return async () => {
    await removeRunFile(dataDir);
    await unlock();
  };
}

/** Step by step: Node's own recursive form never ends where the system refuses to make a folder and calls it missing. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return;
      if (error.code !== "ENOENT" || dirname(path) === path) throw error;
      await makeFolder(dirname(path));
      await mkdir(path);
    });
  } catch (error) {
    if (error instanceof StackError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StackError(`The folder ${path} cannot be made: ${reason}. Choose another one: --data DIR`, {
      code: "DATA_FOLDER",
      cause: error,
    });
  }
}

/** The stack that runs on a data folder, for commands that talk to one. */
export async function runningStack(dataDir: string): Promise<RunFile> {
  const run = await readRunFile(dataDir);
  if (!run || !(await isHeld(runFilePath(dataDir), run.pid))) {
    throw new StackError(`Nothing runs on ${dataDir}. Start it with: npm start -- --data ${dataDir}`, {
      code: "NOT_RUNNING",
    });
  }
  return run;
}

/** run.json is written when the servers are up; the lock holds from the first moment, so that two starts at once do not meet. */
async function lock(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, "supervisor.lock");
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(path, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
        throw error;
      }
    }
    const holder = Number(await readFile(path, "utf8").catch(() => ""));
    if (holder > 0 && (await isHeld(path, holder))) {
      throw alreadyRunning(dataDir, holder, "about to start");
    }
    await rm(path, { force: true });
  }
  throw new StackError(`Another start takes ${dataDir} at this moment. Try again.`, { code: "ALREADY_RUNNING" });
}

/** Whether the process that wrote `file` still runs. */
async function isHeld(file: string, pid: number): Promise<boolean> {
  const written = await stat(file).catch(() => null);
  return written !== null && (await isSameProcess(pid, written.mtimeMs));
}

function alreadyRunning(dataDir: string, pid: number, where: string): StackError {
  return new StackError(
    `Longhaul already runs on ${dataDir}: process ${pid} (${where}).\nStop it (kill ${pid}), or choose another folder and port: npm start -- --data DIR --port N`,
    { code: "ALREADY_RUNNING" },
  );
}
