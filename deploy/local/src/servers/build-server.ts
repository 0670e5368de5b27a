import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "@longhaul/runtime";
import { runCommand, runOrFail } from "../run-command.ts";
import { StackError } from "../stack-error.ts";
import { cacheEntry, installOnce } from "./cache.ts";
import type { Program, SourceBuild } from "./catalog.ts";

const GO_MODULES = fileURLToPath(new URL("../../go/", import.meta.url));
const GO_PACKAGES: Partial<Record<Program["implementation"], string>> = {
  "nats-server": "github.com/nats-io/nats-server/v2",
  versitygw: "github.com/versity/versitygw/cmd/versitygw",
};
const CRATE = "secantus-mdb";

const TOOL_TIMEOUT_MS = 15_000;
const GO_TIMEOUT_MS = 20 * 60_000;
const CARGO_TIMEOUT_MS = 60 * 60_000;

export type BuildOptions = { env: Environment; cacheDir: string; say: (line: string) => void };

/** Builds one server from its pinned source into the cache; does nothing when it is there. Throws when it cannot. */
export async function buildServer(program: Program, source: SourceBuild, options: BuildOptions): Promise<void> {
  const entry = cacheEntry(options.cacheDir, program.implementation, source.version);
  await installOnce(entry, async (folder) => {
    if (source.with === "go") {
      await requireTool("go", ["version"], "Go 1.26 or newer (https://go.dev/dl)", options.env);
      await buildWithGo(program, folder, options);
    } else {
      await requireTool("cargo", ["--version"], "Rust 1.95 or newer (https://rustup.rs)", options.env);
      await requireTool("cmake", ["--version"], "cmake and a C compiler", options.env);
      await buildWithCargo(program, source, folder, options);
    }
  });
}

async function requireTool(tool: string, args: string[], name: string, env: Environment): Promise<void> {
  const { exitCode } = await runCommand(tool, args, { env, timeoutMs: TOOL_TIMEOUT_MS });
  if (exitCode !== 0) {
    throw new StackError(`this build needs ${name}, and there is no working \`${tool}\` on the PATH`, {
      code: "SERVER_NOT_FOUND",
    });
  }
}

async function buildWithGo(program: Program, folder: string, { env, say }: BuildOptions): Promise<void> {
  const goPackage = GO_PACKAGES[program.implementation] ?? "";
  // Static, so that it also runs where the C library is another one.
  const args = ["build", "-trimpath", "-mod=readonly", "-buildvcs=false", "-o", join(folder, program.executable ?? "")];
  await runOrFail(`Building ${program.title}`, "go", [...args, goPackage], {
    env: { ...env, CGO_ENABLED: "0", GOFLAGS: "" },
    cwd: join(GO_MODULES, program.implementation),
    timeoutMs: GO_TIMEOUT_MS,
    background: true,
    onLine: (line) => say(`  ${line}`),
  });
}

async function buildWithCargo(
  program: Program,
  source: SourceBuild,
  folder: string,
  options: BuildOptions,
): Promise<void> {
  const target = join(folder, "target");
  await mkdir(target);
  let compiled = 0;
  // The package asks for a newer compiler than it needs: 1.95 builds it.
  const args = ["install", CRATE, "--version", source.version, "--locked", "--ignore-rust-version", "--root", folder];
  await runOrFail(`Building ${program.title}`, "cargo", [...args, "--target-dir", target], {
    env: options.env,
    timeoutMs: CARGO_TIMEOUT_MS,
    background: true,
    onLine: (line) => {
      if (/^\s*Compiling/.test(line) && ++compiled % 20 === 0) {
        options.say(`  ${compiled} crates compiled`);
      }
    },
  });
  const executable = program.executable ?? "";
  await rename(join(folder, "bin", executable), join(folder, executable));
  for (const leftover of ["bin", "target", ".crates.toml", ".crates2.json"]) {
    await rm(join(folder, leftover), { recursive: true, force: true });
  }
}
