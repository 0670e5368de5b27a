import { type Bus, connectBus } from "@longhaul/bus";
import { STREAMS, type StoredRecord } from "@longhaul/contracts";
import { createLogger } from "@longhaul/runtime";
import { openBuckets } from "../../deploy/local/src/stack/bucket.ts";
import { s3Variables } from "../../deploy/local/src/stack/environment.ts";
import type { RunFile } from "../../deploy/local/src/stack/run-file.ts";
import { request } from "./download-client.ts";

const TIMEOUT_MS = 30_000;
const OWN_FOLDERS = ["results/", "payload/"];
/** Subjects that somebody listens to for one job: a worker while it runs, a gateway while someone looks. */
const OF_ONE_JOB = /^download\.(rt|push\.[^.]+)\.[0-9a-f-]{36}$/;

/** The durable consumers of a stack, as `<stream>/<consumer>`, in order. */
export async function consumersOf(run: RunFile): Promise<string[]> {
  return await onBus(run, async (bus) => {
    const ofStream = async (stream: string) =>
      (await api<{ consumers: string[] | null }>(bus, `CONSUMER.NAMES.${stream}`)).consumers ?? [];
    const named = await Promise.all(
      Object.values(STREAMS).map(async (stream) => (await ofStream(stream)).map((name) => `${stream}/${name}`)),
    );
    return named.flat().sort();
  });
}

/**
 * What is there although all of these jobs, which are all that there are, have ended: work items, uploads, objects that
 * are no completed job's result, and subscriptions for one job.
 */
export async function leftovers(run: RunFile, records: Iterable<StoredRecord>): Promise<string[]> {
  const named = new Set<string>();
  for (const record of records) if (record.status === "completed" && record.result?.key) named.add(record.result.key);
  const work = await onBus(run, (bus) => api<{ state: { messages: number } }>(bus, `STREAM.INFO.${STREAMS.work}`));
  return [
    ...(work.state.messages > 0 ? [`${work.state.messages} work items`] : []),
    ...(await stored(run)).filter((what) => !named.has(what)),
    ...(await subscriptions(run)).filter((subject) => OF_ONE_JOB.test(subject)),
  ];
}

/** Keys of all uploads and objects of jobs; an upload's with the word before it. */
async function stored(run: RunFile): Promise<string[]> {
  const { results, close } = openBuckets(s3Variables(run.s3));
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const found: string[] = [];
  try {
    for (const folder of OWN_FOLDERS) {
      for await (const { key } of results.uploads.list(folder, { signal })) found.push(`upload ${key}`);
      for await (const { key } of results.list(folder, { signal })) found.push(key);
    }
    return found;
  } finally {
    close();
  }
}

async function subscriptions(run: RunFile): Promise<string[]> {
  const port = run.processes.find(({ name }) => name === "nats")?.ports.http;
  type Connections = { connections: { subscriptions_list?: string[] }[] };
  const { body } = await request<Connections>(`http://127.0.0.1:${port}/connz?subs=1`);
  return body.connections.flatMap(({ subscriptions_list: subjects }) => subjects ?? []);
}

async function onBus<T>(run: RunFile, ask: (bus: Bus) => Promise<T>): Promise<T> {
  const bus = await connectBus({ servers: [run.nats.url], name: "test-leftovers", log: createLogger("test", "error") });
  try {
    return await ask(bus);
  } finally {
    await bus.close();
  }
}

async function api<T>(bus: Bus, what: string): Promise<T> {
  const answer = await bus.requests.request(`$JS.API.${what}`, "", { timeoutMs: TIMEOUT_MS });
  return JSON.parse(Buffer.from(answer.data).toString());
}
