import { type Bus, connectBus, createJobStore } from "@longhaul/bus";
import { createLogger, environment, inParallel, systemClock, systemRandom } from "@longhaul/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { POLICY } from "../../libs/job/src/testing/index.ts";
import { type ExpiryPorts, expireJob } from "../../services/notifier/src/expiry/expire-job.ts";
import { Prng } from "../sim/kernel/prng.ts";
import { readBothSides } from "../support/both-sides.ts";
import { COMMANDS, type Command, type CommandAnswer, impossible } from "../support/command-answers.ts";
import { type Job, request } from "../support/download-client.ts";
import { type JobHistories, openHistories } from "../support/job-histories.ts";
import { leftovers } from "../support/leftovers.ts";
import { scaled } from "../support/scale.ts";
import { type SourceStack, startSourceStack } from "../support/source-stack.ts";
import { until } from "../support/until.ts";

const SEED = Number(environment.TEST_SEED ?? 13);
const FOR_MS = scaled({ short: 10_000, full: 180_000 });
/** People who press buttons, all at the same jobs. */
const CLIENTS = 8;
/** Jobs that are played with at a time; one that was deleted makes room for another. */
const JOBS_AT_A_TIME = 6;
const PAUSE_MS = [0, 60] as const;
const TEN_DAYS_MS = 10 * 86_400_000;

const GOOD = { firstId: 70_000, files: 3, sizeBytes: 20_000 };
/** Read slowly: three of them are an upload of more than one part. */
const SLOW = { firstId: 80_000, files: 3, sizeBytes: 2_500_000 };
const REQUESTS = [
  [GOOD.firstId],
  [GOOD.firstId, GOOD.firstId + 1],
  [SLOW.firstId, SLOW.firstId + 1, SLOW.firstId + 2],
  [SLOW.firstId, SLOW.firstId + 1, SLOW.firstId + 2],
  [99_999],
];
type Action = Command | "delete" | "expire" | "create";
const ACTIONS: Action[] = [...COMMANDS, ...COMMANDS, "pause", "resume", "retry", "resume", "retry", "create", "create"];
/** Seldom: there is no way back. */
const LAST_ACTIONS: Action[] = ["delete", "expire"];
const LAST_SHARE = 0.04;

/** One key and all that was answered to those who used it. */
type Played = { key: string; fileIds: number[]; ids: Set<string>; fresh: number; answers: CommandAnswer[] };

let sources: SourceStack;
let histories: JobHistories;
let bus: Bus;

beforeAll(async () => {
  sources = await startSourceStack(
    ({ method, fileId }) => (method === "GET" && fileId >= SLOW.firstId ? "slow" : "pass"),
    {
      env: { WATCH_IDLE_MS: "1000", REQUEUE_INTERVAL_MS: "1000", ORPHAN_INTERVAL_MS: "1000", ORPHAN_AGE_SECONDS: "5" },
      counts: { gateway: 2, processor: 2, notifier: 2 },
    },
  );
  const { stack } = sources;
  for (const shelf of [GOOD, SLOW]) await stack.seed(shelf.firstId, shelf.files, shelf.sizeBytes);
  bus = await connectBus({ servers: [stack.run().nats.url], name: "test-expiry", log: createLogger("test", "error") });
  histories = await openHistories(stack.run().nats.url);
});
afterAll(async () => {
  await histories?.close();
  await bus?.close();
  await sources?.dispose();
});

const gateways = () =>
  sources.stack
    .run()
    .processes.flatMap(({ name, ports }) => (name === "gateway" ? [`http://127.0.0.1:${ports.http}`] : []));

/** What the notifier does when a job's time is over; by a clock that is far ahead. */
async function expire(id: string): Promise<void> {
  const common = { clock: systemClock, random: systemRandom, log: createLogger("test", "silent"), timeoutMs: 5_000 };
  const { newest, put } = createJobStore(bus, common);
  const now = () => Date.now() + TEN_DAYS_MS;
  const ports: ExpiryPorts = { newest, put, view: async () => null, now, unit: Math.random };
  await expireJob(id, ports, { ...POLICY, jobDeadlineSeconds: POLICY.deadlineSeconds, busTimeoutMs: 5_000 });
}

async function create(played: Played, baseUrl: string, odd: string[]): Promise<void> {
  const answer = await request<Job & { code?: string }>(`${baseUrl}/v1/downloads`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-user-id": "ann", "idempotency-key": played.key },
    body: JSON.stringify({ fileIds: played.fileIds }),
  });
  if (answer.status === 202) {
    played.ids.add(answer.body.id);
    if (answer.headers.get("idempotent-replayed") !== "true") played.fresh++;
    return;
  }
  const [id = ""] = played.ids;
  const spent = answer.status === 409 && answer.body.code === "IDEMPOTENCY_KEY_SPENT";
  if (!spent || histories.of(id).at(-1)?.status !== "erased") {
    odd.push(`create with ${played.key}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}

async function command(played: Played, id: string, name: Command | "delete", baseUrl: string): Promise<void> {
  const since = histories.of(id).at(-1)?.seq ?? 0;
  const [method, path] = name === "delete" ? ["DELETE", ""] : ["POST", `/${name}`];
  const url = `${baseUrl}/v1/downloads/${id}${path}`;
  const { status, body } = await request<CommandAnswer["body"]>(url, { method, headers: { "x-user-id": "ann" } });
  played.answers.push({ command: name, since, status, body });
}

/** One client, until the time is over. */
async function play(prng: Prng, table: Played[], open: (place: number) => Played, endAt: number, odd: string[]) {
  while (performance.now() < endAt) {
    await systemClock.sleep(prng.int(...PAUSE_MS));
    const place = prng.int(0, JOBS_AT_A_TIME - 1);
    const action = prng.pick(prng.chance(LAST_SHARE) ? LAST_ACTIONS : ACTIONS);
    const baseUrl = prng.pick(gateways());
    let played = table[place] ?? open(place);
    let [id] = played.ids;
    const last = id === undefined ? undefined : histories.of(id).at(-1)?.status;
    // A finished job stays on the table for a while, to be pressed at.
    if ((last === "erased" || last === "expired" || last === "completed") && prng.chance(0.2)) {
      played = open(place);
      id = undefined;
    }
    if (action === "create" || id === undefined) await create(played, baseUrl, odd);
    else if (action === "expire") await expire(id);
    else await command(played, id, action, baseUrl);
  }
}

test("whatever is pressed at once, each generation ends once, every answer is the table's, and nothing is left", async () => {
  const prng = new Prng(SEED);
  const all: Played[] = [];
  const table: Played[] = [];
  const odd: string[] = [];
  const open = (place: number) => {
    const played = {
      key: `key-${SEED}-${all.length}`,
      fileIds: prng.pick(REQUESTS),
      ids: new Set<string>(),
      fresh: 0,
      answers: [],
    };
    all.push(played);
    table[place] = played;
    return played;
  };
  const endAt = performance.now() + FOR_MS;
  const clients = Array.from({ length: CLIENTS }, (_, i) => play(prng.fork(`client ${i}`), table, open, endAt, odd));
  await Promise.all(clients);
  sources.proxy.hurry();

  const ids = all.flatMap((played) => [...played.ids]);
  const isAtRest = (id: string) => !["queued", "running"].includes(histories.of(id).at(-1)?.status ?? "queued");
  const busy = () => ids.filter((id) => !isAtRest(id)).map((id) => `${id}: ${JSON.stringify(histories.of(id).at(-1))}`);
  await until("every job to rest", () => busy().length === 0, 60_000).catch(() =>
    expect(busy(), `seed ${SEED}`).toEqual([]),
  );
  const answers = all.flatMap(({ ids, answers }) => answers.map((answer) => ({ id: [...ids][0] ?? "", answer })));
  const wrong = [
    ...odd,
    ...all.flatMap(({ key, ids, fresh }) =>
      ids.size > 1 || fresh > 1 ? [`${key} made ${fresh} jobs: ${[...ids]}`] : [],
    ),
    ...histories.broken(),
    ...answers.flatMap(({ id, answer }) => {
      const why = impossible(answer, histories.of(id));
      return why === null
        ? []
        : [`${id}: ${answer.command} after ${answer.since}: ${why} ${JSON.stringify(histories.of(id))}`];
    }),
    ...all
      .filter(({ answers }) => answers.filter(({ status }) => status === 204).length > 1)
      .map(({ key }) => `${key} was deleted twice`),
  ];
  expect(wrong, `seed ${SEED}`).toEqual([]);
  await expectViewsToEqualRecords(ids);
  console.log(
    `seed ${SEED}: ${summary(
      ids,
      answers.map(({ answer }) => answer),
    )}`,
  );

  await inParallel(ids.keys(), CLIENTS, async (i) => {
    const url = `${sources.stack.baseUrl}/v1/downloads/${ids[i]}`;
    const { status } = await request(url, { method: "DELETE", headers: { "x-user-id": "ann" } });
    expect([204, 404]).toContain(status);
  });
  const left = () => leftovers(sources.stack.run(), []);
  const nothingLeft = async () => (await left()).length === 0;
  await until("nothing to be left", nothingLeft, 60_000).catch(async () =>
    expect(await left(), `seed ${SEED}`).toEqual([]),
  );
});

async function expectViewsToEqualRecords(ids: string[]): Promise<void> {
  const { views, records } = await until("every view to be as new as its record", async () => {
    const both = await readBothSides(sources.stack.run(), ids);
    const isNew = (id: string) => {
      const newest = both.records.get(id);
      return newest?.record.status === "erased" ? !both.views.has(id) : both.views.get(id)?.seq === newest?.seq;
    };
    return ids.every(isNew) && both;
  });
  for (const [id, { record }] of views) expect(record, `seed ${SEED}`).toEqual(records.get(id)?.record);
}

/** So that a reader sees that all of it happened. */
function summary(ids: string[], answers: CommandAnswer[]): string {
  const count = (of: string[]) => {
    const counts = new Map<string, number>();
    for (const one of of) counts.set(one, (counts.get(one) ?? 0) + 1);
    return [...counts]
      .sort()
      .map(([what, times]) => `${what} ${times}`)
      .join(", ");
  };
  const writes = ids.flatMap((id) => histories.of(id));
  const ends = ids.flatMap((id) => histories.of(id).at(-1)?.status ?? "nothing");
  return `${ids.length} jobs, ${writes.length} writes, generations up to ${Math.max(...writes.map((w) => w.generation))}; answers ${count(
    answers.map(({ command, status }) => `${command}→${status}`),
  )}; in the end ${count(ends)}`;
}
