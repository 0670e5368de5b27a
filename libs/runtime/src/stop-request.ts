import { constants } from "node:os";

/** Why a process ends. `exitCode` is what it ends with if everything then goes well. */
export type StopRequest = { reason: string; exitCode: 0 | 1; error?: unknown };

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * The only place that listens for the end of the process. The first signal asks for an orderly end; the second one
 * means at once, and the process leaves with 128 + the signal's number. If the process was started with an IPC
 * channel, a parent that goes away (however it died) counts as a signal. An error that nobody caught ends the process
 * in order too, with exit code 1: what state it left behind is not known.
 * @param forced called before the process leaves without an orderly end
 * @returns resolves with the first request
 */
export function stopRequested(forced: (reason: string) => void): Promise<StopRequest> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (request: StopRequest) => {
      asked = true;
      resolve(request);
    };
    for (const name of SIGNALS) {
      process.on(name, () => {
        if (!asked) return ask({ reason: name, exitCode: 0 });
        forced(`second signal, ${name}`);
        process.exit(128 + constants.signals[name]);
      });
    }
    if (process.connected)
      process.once("disconnect", () => ask({ reason: "the parent process went away", exitCode: 0 }));
    process.on("uncaughtException", (error) => {
      if (!asked) return ask({ reason: "uncaught error", exitCode: 1, error });
      forced(`uncaught error while stopping: ${error instanceof Error ? error.stack : error}`);
      process.exit(1);
    });
  });
}
