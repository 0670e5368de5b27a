import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Environment } from "@longhaul/runtime";
import { StackError } from "./stack-error.ts";

export type CommandOptions = {
  env: Environment;
  timeoutMs: number;
  cwd?: string;
  /** Runs at the lowest priority, so that a build does not get in the way of other work. */
  background?: boolean;
  onLine?: (line: string) => void;
  /** Ends the program when it is aborted. */
  signal?: AbortSignal;
};

export type CommandResult = { exitCode: number | null; output: string };

const KEPT_LINES = 200;

/**
 * Runs a program to its end and returns its exit code (null when it was killed or could not be started) and the last
 * lines that it printed. Never throws for a program that fails; ends it after `timeoutMs`.
 */
export function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const [program, programArgs] = options.background ? ["nice", ["-n", "19", command, ...args]] : [command, [...args]];
  return new Promise((done) => {
    const lines: string[] = [];
    const child = spawn(program, programArgs, {
      env: options.env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.cwd ? { cwd: options.cwd } : {}),
      ...(options.signal ? { signal: options.signal, killSignal: "SIGKILL" } : {}),
    });
    const timer = setTimeout(() => {
      lines.push(`(stopped after ${Math.round(options.timeoutMs / 1000)} s)`);
      child.kill("SIGKILL");
    }, options.timeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        lines.splice(0, lines.length - KEPT_LINES);
        options.onLine?.(line);
      });
    }
    child.on("error", (error) => {
      clearTimeout(timer);
      done({ exitCode: null, output: error.message });
    });
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      done({ exitCode, output: lines.join("\n") });
    });
  });
}

/** Like runCommand, but a program that does not end with 0 is an error that shows the last lines it printed. */
export async function runOrFail(
  what: string,
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const result = await runCommand(command, args, options);
  if (result.exitCode !== 0) {
    const tail = result.output.trim().split("\n").slice(-15).join("\n  ");
    throw new StackError(`${what} failed: ${command} ended with ${result.exitCode ?? "no exit code"}\n  ${tail}`, {
      code: "COMMAND_FAILED",
    });
  }
  return result.output;
}
