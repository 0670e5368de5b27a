import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { environment } from "@longhaul/runtime";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** The tools name files as the locale says: one with UTF-8. */
const ENVIRONMENT = { ...environment, LC_ALL: "C.UTF-8" };
const fileBeside = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A program that reads ZIP files. */
export type ZipTool = {
  name: string;
  command: string;
  /** Arguments that show whether the program is there. */
  probe: string[];
  /** Arguments to check one file: the program's exit code is the answer. */
  check?: (path: string) => string[];
  /** Arguments to print `name TAB size TAB sha256` of each entry of several files. */
  list?: (paths: string[]) => string[];
};

const JAVA = fileBeside("zip-check.java");
const PYTHON = fileBeside("zip-check.py");

export const ZIP_TOOLS: ZipTool[] = [
  { name: "unzip -t", command: "unzip", probe: ["-v"], check: (path) => ["-tqq", path] },
  { name: "Python zipfile", command: "python3", probe: ["--version"], list: (paths) => [PYTHON, ...paths] },
  { name: "Java ZipInputStream", command: "java", probe: ["-version"], list: (paths) => [JAVA, "stream", ...paths] },
  { name: "Java ZipFile", command: "java", probe: ["-version"], list: (paths) => [JAVA, "directory", ...paths] },
  { name: "bsdtar", command: "bsdtar", probe: ["--version"], check: (path) => ["-xOf", path] },
  { name: "7z", command: "7z", probe: ["i"], check: (path) => ["t", path] },
];

export async function isInstalled({ command, probe }: ZipTool): Promise<boolean> {
  return run(command, probe, { maxBuffer: MAX_OUTPUT_BYTES }).then(
    () => true,
    () => false,
  );
}

/** Runs a tool's check; rejects with what the tool said when it does not like the file. */
export async function checkWith({ command, check }: ZipTool, path: string, timeoutMs: number): Promise<void> {
  // What a tool writes out is not looked at: it compares the CRCs itself.
  const tool = spawn(command, check?.(path) ?? [], {
    env: ENVIRONMENT,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: timeoutMs,
  });
  const [said] = await Promise.all([text(tool.stderr), once(tool, "exit")]);
  if (tool.exitCode !== 0) throw new Error(`${command} does not accept ${path}: ${said}`);
}

/** Extracts a file with unzip below an existing folder. */
export async function unzipTo(folder: string, path: string): Promise<void> {
  await run("unzip", ["-qq", path, "-d", folder], { env: ENVIRONMENT });
}

/** What a tool finds in each file, by path: lines of `name TAB size TAB sha256`. */
export async function listWith(
  { command, list }: ZipTool,
  paths: string[],
  timeoutMs: number,
): Promise<Map<string, string[]>> {
  const { stdout } = await run(command, list?.(paths) ?? [], {
    env: ENVIRONMENT,
    maxBuffer: MAX_OUTPUT_BYTES,
    timeout: timeoutMs,
  });
  const found = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of stdout.split(/\r?\n/).filter(Boolean)) {
    if (line.startsWith("# ")) {
      lines = [];
      found.set(line.slice(2), lines);
    } else {
      lines.push(line);
    }
  }
  return found;
}
