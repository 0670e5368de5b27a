/** `npm run bench -- <name>`: measures side by side, prints a table and writes it to `load/results/`. */
import { join } from "node:path";
import { runCli } from "../deploy/local/src/cli/run-cli.ts";
import { REPOSITORY } from "../deploy/local/src/stack/services.ts";
import { StackError } from "../deploy/local/src/stack-error.ts";
import { runBench } from "./bench/run-bench.ts";
import { engineBench } from "./engine/engine-bench.ts";

const BENCHES = [engineBench];
const RESULTS = join(REPOSITORY, "load", "results");

await runCli(async ({ say }) => {
  const [name, ...more] = process.argv.slice(2);
  const bench = BENCHES.find((candidate) => candidate.name === name);
  if (!bench || more.length > 0) {
    const names = BENCHES.map((candidate) => candidate.name).join(", ");
    throw new StackError(`Usage: npm run bench -- <name>, with one of: ${names}.`, { code: "USAGE" });
  }
  say(`\nwritten to ${await runBench(bench, RESULTS, say)}`);
});
