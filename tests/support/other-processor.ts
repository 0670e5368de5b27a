import { freePorts } from "../../deploy/local/src/supervisor/ports.ts";
import { startSupervised } from "../../deploy/local/src/supervisor/supervised-process.ts";
import { answers } from "../../deploy/local/src/supervisor/until.ts";
import { startWatchdog } from "../../deploy/local/src/supervisor/watchdog.ts";
import type { TestStack } from "./test-stack.ts";

const MODULE = new URL("./other-version.ts", import.meta.url).href;

/** A processor of another version, beside those of the stack; started again whenever it ends. */
export type OtherProcessor = { pid(): number | null; stop(): Promise<void> };

export async function startOtherProcessor(stack: TestStack, writes: "more" | "less"): Promise<OtherProcessor> {
  const ordinary = stack.processes().find(({ spec }) => spec.name === "processor")?.spec;
  if (!ordinary) throw new Error("the stack has no processor to be like");
  const [metrics = 0] = await freePorts(1);
  const watchdog = startWatchdog();
  const running = await startSupervised(
    {
      ...ordinary,
      env: { ...ordinary.env, METRICS_PORT: `${metrics}`, NODE_OPTIONS: `--import=${MODULE}?writes=${writes}` },
      logFile: ordinary.logFile.replace(/[^/]*$/, `processor-${writes}.log`),
      ports: { metrics },
      ready: () => answers(`http://127.0.0.1:${metrics}/health/ready`, [200]),
    },
    { watchdog, say: () => {}, onChange: () => {} },
  );
  return {
    pid: running.pid,
    async stop() {
      await running.stop();
      watchdog.dismiss();
    },
  };
}
