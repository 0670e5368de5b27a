// `npm start`: the whole stack on this machine, supervised, until it is told to stop.
import { environment } from "@longhaul/runtime";
import { runCli } from "./cli/run-cli.ts";
import { startArguments } from "./cli/start-arguments.ts";
import { onStopSignals } from "./cli/stop-signals.ts";
import { startStack } from "./stack/start-stack.ts";

await runCli(async ({ say }) => {
  const { dataDir, port, counts } = startArguments(process.argv.slice(2), environment);
  const stop = onStopSignals();
  say(`Starting Longhaul on ${dataDir}.`);
  const stack = await startStack({ dataDir, port, counts, env: environment, say, signal: stop.signal });
  stop.onForced(() => stack.kill());
  say([...stack.taken, `logs: ${stack.logDir}`].join("\n"));
  say(`ready ${stack.baseUrl}`);
  await stop.requested;
  say("Stopping; once more to stop at once.");
  await stack.stop();
  say("Stopped.");
});
