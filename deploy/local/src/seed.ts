// `npm run seed`: puts sample files into the storage of a running stack.
import { resolve } from "node:path";
import { type Flags, parseFlags } from "./cli/arguments.ts";
import { runCli } from "./cli/run-cli.ts";
import { FIRST_SAMPLE_ID, putSamples } from "./samples/put-samples.ts";
import { runningStack } from "./stack/data-folder.ts";

const MOST_FILES = 10_000_000;
/** The largest object that one request can write. */
const MOST_BYTES = 5 * 1024 ** 3;

const FLAGS = {
  data: { kind: "text", placeholder: "DIR", help: "the data folder of the running stack (.longhaul)" },
  files: { kind: "number", min: 1, max: MOST_FILES, placeholder: "N", help: "how many files (10)" },
  bytes: { kind: "number", min: 0, max: MOST_BYTES, placeholder: "M", help: "bytes of each (1048576)" },
  from: {
    kind: "number",
    min: 1,
    max: Number.MAX_SAFE_INTEGER - MOST_FILES,
    placeholder: "ID",
    help: `first id (${FIRST_SAMPLE_ID})`,
  },
} as const satisfies Flags;

const TELL_EVERY = 1_000;

await runCli(async ({ say }) => {
  const values = parseFlags("npm run seed -- [flags]", FLAGS, process.argv.slice(2));
  const run = await runningStack(resolve(values.data ?? ".longhaul"));
  const samples = {
    firstId: values.from ?? FIRST_SAMPLE_ID,
    files: values.files ?? 10,
    sizeBytes: values.bytes ?? 1024 ** 2,
  };
  await putSamples(run.s3, samples, (done) => {
    if (done % TELL_EVERY === 0) {
      say(`${done} of ${samples.files} files`);
    }
  });
  say(
    `put ${samples.files} files of ${samples.sizeBytes} bytes: first id ${samples.firstId}, last id ${samples.firstId + samples.files - 1}`,
  );
});
