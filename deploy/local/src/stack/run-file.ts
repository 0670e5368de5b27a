import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StackError } from "../stack-error.ts";

const port = z.int().min(1).max(65_535);

const runFile = z.object({
  version: z.literal(1),
  /** The supervisor. */
  pid: z.int(),
  dataDir: z.string(),
  baseUrl: z.string(),
  processes: z.array(
    z.object({
      name: z.enum(["gateway", "processor", "notifier", "nats", "mongodb", "s3"]),
      pid: z.int(),
      ports: z.object({ http: port.optional(), metrics: port.optional(), client: port.optional() }),
      log: z.string(),
    }),
  ),
  nats: z.object({ url: z.string() }),
  mongodb: z.object({ url: z.string(), viewsDatabase: z.string(), recordsDatabase: z.string() }),
  s3: z.object({
    endpoint: z.string(),
    region: z.string(),
    bucket: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
  }),
});

/** What runs on a data folder and how to reach it: `run.json`, for other commands and for tests. */
export type RunFile = z.infer<typeof runFile>;

export function runFilePath(dataDir: string): string {
  return join(dataDir, "run.json");
}

/** The run file of a data folder; null when there is none, an error when it cannot be understood. */
export async function readRunFile(dataDir: string): Promise<RunFile | null> {
  const path = runFilePath(dataDir);
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) {
    return null;
  }
  try {
    return runFile.parse(JSON.parse(text));
  } catch (error) {
    throw new StackError(`${path} cannot be understood. If nothing runs on this folder, delete the file.`, {
      code: "DATA_UNREADABLE",
      cause: error,
    });
  }
}

/** Writes the run file so that a reader sees the old or the new one, and nobody but this user sees either. */
export async function writeRunFile(run: RunFile): Promise<void> {
  const path = runFilePath(run.dataDir);
  const next = `${path}.${randomBytes(4).toString("hex")}`;
  await writeFile(next, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
  await rename(next, path);
}

export async function removeRunFile(dataDir: string): Promise<void> {
  await rm(runFilePath(dataDir), { force: true });
}
