// `npm run demo`: one real download through the whole stack, on data of its own that is gone afterwards.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { environment } from "@longhaul/runtime";
import { parseFlags } from "./cli/arguments.ts";
import { runCli } from "./cli/run-cli.ts";
import { onStopSignals } from "./cli/stop-signals.ts";
import { runDemo } from "./demo/run-demo.ts";
import { type Stack, startStack } from "./stack/start-stack.ts";
import { StackError } from "./stack-error.ts";

/** How soon a dead processor's job is given to another. 30 s by default; nobody wants to wait that long here. */
const ACK_WAIT_MS = "3000";

const NEXT = `Try next:
  npm start                                    keeps the stack running (Ctrl-C stops it)
  npm run seed -- --files 10 --bytes 1000000   in a second terminal: puts sample files 70000 to 70009
  curl -X POST localhost:8080/v1/downloads -H 'content-type: application/json' -d '{"fileIds":[70000,70001]}'
  npm run servers                              builds faster servers, once
  npm test                                     every check and every test`;

await runCli(async ({ say }) => {
  parseFlags("npm run demo", {}, process.argv.slice(2));
  const stop = onStopSignals();
  const startedAt = performance.now();
  const dataDir = await mkdtemp(join(tmpdir(), "longhaul-demo-"));
  let stack: Stack | null = null;
  let succeeded = false;
  say(
    `Longhaul demo: one download of several files, on real servers, from the request to a verified archive.
The processor is killed in the middle; so that the demo does not wait, it sets ACK_WAIT_MS=${environment.ACK_WAIT_MS || ACK_WAIT_MS}.`,
  );
  try {
    const counts = { gateway: 1, processor: 1, notifier: 1 };
    stack = await startStack({
      dataDir,
      port: 0,
      counts,
      env: { ...environment, ACK_WAIT_MS: environment.ACK_WAIT_MS || ACK_WAIT_MS },
      say,
      signal: stop.signal,
      keepsData: false,
    });
    const running = stack;
    stop.onForced(() => running.kill());
    say([...stack.taken.map((server) => `server    ${server}`), `ready     ${stack.baseUrl}`].join("\n"));
    await runDemo({ stack, folder: resolve("longhaul-demo"), signal: stop.signal, say });
    succeeded = true;
  } catch (error) {
    throw stop.signal.aborted
      ? new StackError("Stopped; nothing was left running.", { code: "STOPPED" })
      : failure(error, dataDir);
  } finally {
    await stack?.stop();
    if (succeeded || stop.signal.aborted) {
      await rm(dataDir, { recursive: true, force: true });
    }
  }
  say(
    `Done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s; everything that was started is stopped.\n\n${NEXT}`,
  );
});

function failure(error: unknown, dataDir: string): StackError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StackError(
    `The demo failed. ${reason}\n\nLogs and data are kept in ${dataDir} (logs/*.log); delete the folder when you are done.\nIf the logs do not tell, run \`npm run demo\` again, and report it with the logs if it fails again.`,
    { code: "DEMO_FAILED", cause: error },
  );
}
