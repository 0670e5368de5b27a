// `npm run servers`: builds the faster servers from pinned source into the cache, one after another.
import { environment } from "@longhaul/runtime";
import { runCli } from "./cli/run-cli.ts";
import { buildServer } from "./servers/build-server.ts";
import { cacheDirectory } from "./servers/cache.ts";
import { PROGRAMS } from "./servers/catalog.ts";
import { StackError } from "./stack-error.ts";

const STILL_AT_IT_MS = 20_000;

await runCli(async ({ say }) => {
  const cacheDir = cacheDirectory(environment);
  const failed: string[] = [];
  const summary: string[] = [];
  say(`Building servers into ${cacheDir}.`);
  for (const program of PROGRAMS) {
    if (!program.source) {
      continue;
    }
    const name = `${program.title} ${program.source.version}`;
    const startedAt = performance.now();
    const elapsed = () => `${Math.round((performance.now() - startedAt) / 1000)} s`;
    say(`${name} (with ${program.source.with}, ${program.source.takes})`);
    const stillAtIt = setInterval(() => say(`  still building, ${elapsed()} so far`), STILL_AT_IT_MS);
    try {
      await buildServer(program, program.source, { env: environment, cacheDir, say });
      summary.push(`  ok       ${name} (${elapsed()})`);
    } catch (error) {
      if (!(error instanceof StackError)) {
        throw error;
      }
      failed.push(name);
      summary.push(`  not made ${name}: ${error.message}`);
    } finally {
      clearInterval(stillAtIt);
    }
  }
  say(["Summary:", ...summary].join("\n"));
  if (failed.length > 0) {
    throw new StackError(
      `${failed.length} of the servers could not be built: ${failed.join(", ")}. \`npm start\` and \`npm test\` go on with what the cache has and with prebuilt packages.`,
      { code: "INSTALL_FAILED" },
    );
  }
  say("`npm start`, `npm run demo` and `npm test` take them from now on.");
});
