import { BootError } from "@longhaul/runtime";

export type CliContext = { say: (line: string) => void };

/** Exit codes that say more than "failed": wrong use, and stopped by the user, as shells tell it. */
const EXIT_CODES: Readonly<Record<string, number>> = { USAGE: 2, STOPPED: 130 };

/** Runs a command to its end; an error is shown as a sentence, without a stack trace, and in the exit code. */
export async function runCli(run: (context: CliContext) => Promise<void>): Promise<void> {
  try {
    await run({ say: (line) => console.log(line) });
  } catch (error) {
    if (error instanceof BootError && error.code === "HELP") {
      console.log(error.message);
      return;
    }
    console.error(error instanceof Error ? error.message : String(error));
    if (!(error instanceof BootError)) {
      console.error("This was not expected; please report it together with what was running.");
    }
    process.exitCode = (error instanceof BootError && EXIT_CODES[error.code]) || 1;
  }
}
