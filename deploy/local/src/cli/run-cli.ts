import { BootError } from "@longhaul/runtime";

export type CliContext = { say: (line: string) => void };

/** Exit codes: 1 something failed, 2 wrong use. */
function exitCodeOf(error: unknown): number {
  return error instanceof BootError && error.code === "USAGE" ? 2 : 1;
}

/** Runs a command to its end; an error is shown as a sentence, without a stack trace, and in the exit code. */
export async function runCli(run: (context: CliContext) => Promise<void>): Promise<void> {
  try {
    await run({ say: (line) => console.log(line) });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (!(error instanceof BootError)) {
      console.error("This was not expected; please report it together with what was running.");
    }
    process.exitCode = exitCodeOf(error);
  }
}
