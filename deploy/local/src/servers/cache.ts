import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Environment } from "@longhaul/runtime";

const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** Where servers are kept between runs: LONGHAUL_CACHE_DIR, else `$XDG_CACHE_HOME/longhaul`, else `~/.cache/longhaul`. */
export function cacheDirectory(env: Environment): string {
  if (env.LONGHAUL_CACHE_DIR) {
    return resolve(env.LONGHAUL_CACHE_DIR);
  }
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "longhaul");
}

/** Operating system, processor and, on Linux, the C library: what a binary in the cache was made for. */
export function platformKey(): string {
  const key = `${process.platform}-${process.arch}`;
  if (process.platform !== "linux") {
    return key;
  }
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime ? key : `${key}-musl`;
}

/** The folder of one release in the cache. */
export function cacheEntry(cacheDir: string, name: string, version: string, suffix = ""): string {
  return join(cacheDir, `${name}-${version}-${platformKey()}${suffix}`);
}

/**
 * Fills `entry` once. The work is done in a folder of this call's own, which is then renamed: an entry that exists is
 * complete, whoever was killed on the way, and of two processes that install at once one wins and both use the result.
 */
export async function installOnce(entry: string, fill: (folder: string) => Promise<void>): Promise<void> {
  if (existsSync(entry)) {
    return;
  }
  const parent = resolve(entry, "..");
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  const folder = `${entry}.tmp-${process.pid}-${randomBytes(4).toString("hex")}`;
  await mkdir(folder);
  try {
    await fill(folder);
    await rename(folder, entry);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    if (!existsSync(entry)) {
      throw error;
    }
  }
}

/** What a killed install left behind; only old folders, because another process may be at work in a young one. */
async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.includes(".tmp-")) {
      continue;
    }
    const path = join(cacheDir, name);
    const modifiedAt = await stat(path).then(
      (stats) => stats.mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - modifiedAt > ABANDONED_AFTER_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
