import { join } from "node:path";
import type { Environment } from "@longhaul/runtime";
import { runCommand, runOrFail } from "../run-command.ts";
import { StackError } from "../stack-error.ts";
import { isAtLeast, versionIn } from "./version.ts";

const CANDIDATES = ["python3.13", "python3.12", "python3.11", "python3.10", "python3"];
const PROBE_TIMEOUT_MS = 15_000;
const PIP_TIMEOUT_MS = 15 * 60_000;
/** `pip --python`, which installs into an environment that has no pip of its own. */
const PIP_FOR_OTHERS = [22, 3];

export type Python = {
  command: string;
  /** For instance "cp311". */
  tag: string;
  pipVersion: readonly number[] | null;
  canMakePip: boolean;
};

const PROBE = `
import importlib.util as u, sys
print("python", "%d.%d" % sys.version_info[:2])
print("ensurepip", u.find_spec("ensurepip") is not None and u.find_spec("venv") is not None)
try:
  import pip; print("pip", pip.__version__)
except Exception: pass
`;

/** The first Python 3.10 to 3.13 that has, or can make, a pip. Throws when there is none. */
export async function findPython(env: Environment): Promise<Python> {
  const seen: string[] = [];
  for (const command of CANDIDATES) {
    const { exitCode, output } = await runCommand(command, ["-c", PROBE], { env, timeoutMs: PROBE_TIMEOUT_MS });
    if (exitCode !== 0) {
      continue;
    }
    const version = versionIn(/^python .*$/m.exec(output)?.[0] ?? "");
    const supported = version?.[0] === 3 && isAtLeast(version, [3, 10]) && !isAtLeast(version, [3, 14]);
    const pipVersion = versionIn(/^pip .*$/m.exec(output)?.[0] ?? "");
    const canMakePip = /^ensurepip True$/m.test(output);
    if (supported && (pipVersion || canMakePip)) {
      return { command, tag: `cp${version[0]}${version[1]}`, pipVersion, canMakePip };
    }
    seen.push(
      `${command} is ${version?.slice(0, 2).join(".") ?? "unknown"}${supported ? " without pip and ensurepip" : ""}`,
    );
  }
  throw new StackError(
    `no Python 3.10 to 3.13 with pip was found (looked for ${CANDIDATES.join(", ")}${seen.length ? `; ${seen.join("; ")}` : ""}; on Debian and Ubuntu the package is python3-venv)`,
    { code: "SERVER_NOT_FOUND" },
  );
}

/** A virtual environment in `folder`, with its own pip when `python` has none that could serve it. Returns the pip to use for it. */
export async function makeEnvironment(python: Python, folder: string, env: Environment): Promise<readonly string[]> {
  const interpreter = join(folder, "bin", "python");
  const options = { env, timeoutMs: PIP_TIMEOUT_MS };
  if (python.pipVersion && isAtLeast(python.pipVersion, PIP_FOR_OTHERS)) {
    await runOrFail("Making a Python environment", python.command, ["-m", "venv", "--without-pip", folder], options);
    return [python.command, "-m", "pip", "--python", interpreter];
  }
  await runOrFail("Making a Python environment", python.command, ["-m", "venv", folder], options);
  return [interpreter, "-m", "pip"];
}

/** Runs pip and passes on what it says about downloads. */
export async function runPip(
  pip: readonly string[],
  args: readonly string[],
  options: { env: Environment; onProgress: (line: string) => void; signal?: AbortSignal | undefined },
): Promise<void> {
  const [command = "pip", ...prefix] = pip;
  await runOrFail(
    "The download",
    command,
    [...prefix, ...args, "--no-input", "--progress-bar", "off", "--disable-pip-version-check"],
    {
      env: options.env,
      timeoutMs: PIP_TIMEOUT_MS,
      onLine: (line) => {
        const download = /^\s*(?:Downloading|Using cached) .*\/?([^/\s]+(?:\.whl)?.*)$/.exec(line);
        if (download) {
          options.onProgress(line.trim());
        }
      },
    },
  );
}
