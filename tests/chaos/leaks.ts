import { readdir, readlink } from "node:fs/promises";
import type { Bus } from "@longhaul/bus";
import { STREAMS } from "@longhaul/contracts";
import type { ChaosStack } from "./chaos-stack.ts";

const API_TIMEOUT_MS = 5_000;
/** Pools and idle connections are well below it; what is left behind with each job is soon above it. */
const MOST_SOCKETS = 100;
const SERVICES: readonly string[] = ["gateway", "processor", "notifier"];

type Consumer = { stream: string; name: string; waiting: number; inHand: number };
type Connection = { name: string; subjects: string[] };

/** Names of the consumers that there are: none may come, and none may go. */
export async function consumerNames(bus: Bus): Promise<string[]> {
  return (await consumers(bus)).map(({ stream, name }) => `${stream}.${name}`).toSorted();
}

/** What is held that nobody needs when everything is at rest; empty = nothing. `names`: the consumers there were. */
export async function leaksAtRest(chaos: ChaosStack, bus: Bus, names: readonly string[]): Promise<string[]> {
  const now = await consumers(bus);
  const connections = await connectionsOf(chaos);
  const left = now.filter(({ waiting, inHand }) => waiting + inHand > 0);
  const open = chaos.proxy.open();
  return [
    ...listDifference(
      names,
      now.map(({ stream, name }) => `${stream}.${name}`),
    ),
    ...left.map((one) => `consumer ${one.stream}.${one.name} has ${one.waiting} waiting and ${one.inHand} in hand`),
    ...connections.flatMap(({ name, subjects }) => runSubscriptions(name, subjects)),
    ...SERVICES.flatMap((name) => surplus(name, connections, chaos)),
    ...(open > 0 ? [`${open} S3 calls are still open`] : []),
    ...(await crowded(chaos)),
  ];
}

async function consumers(bus: Bus): Promise<Consumer[]> {
  const all = await Promise.all(
    Object.values(STREAMS).map(async (stream) => {
      const answer = await bus.requests.request(`$JS.API.CONSUMER.LIST.${stream}`, "", { timeoutMs: API_TIMEOUT_MS });
      const { consumers = [] }: { consumers?: { name: string; num_pending: number; num_ack_pending: number }[] } =
        JSON.parse(Buffer.from(answer.data).toString());
      return consumers.map((one) => ({
        stream,
        name: one.name,
        waiting: one.num_pending,
        inHand: one.num_ack_pending,
      }));
    }),
  );
  return all.flat();
}

function listDifference(before: readonly string[], now: readonly string[]): string[] {
  return [
    ...now.filter((name) => !before.includes(name)).map((name) => `consumer ${name} was not there before`),
    ...before.filter((name) => !now.includes(name)).map((name) => `consumer ${name} is gone`),
  ];
}

/** The server's connections and what each is subscribed to, from its monitoring port. */
async function connectionsOf({ stack }: ChaosStack): Promise<Connection[]> {
  const port = stack.processes().find(({ spec }) => spec.name === "nats")?.spec.ports.http;
  const url = `http://127.0.0.1:${port}/connz?subs=1&limit=1024`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(API_TIMEOUT_MS) });
  const { connections = [] } = (await answer.json()) as {
    connections?: { name?: string; subscriptions_list?: string[] }[];
  };
  return connections.map((one) => ({ name: one.name ?? "", subjects: one.subscriptions_list ?? [] }));
}

/** A processor hears of single jobs only while it runs them. */
function runSubscriptions(name: string, subjects: readonly string[]): string[] {
  if (name !== "longhaul-processor") return [];
  const left = subjects.filter((subject) => subject.startsWith("download.rt.") && !subject.endsWith("*"));
  return left.length > 0 ? [`a processor is still subscribed to ${left.length} jobs`] : [];
}

function surplus(name: string, connections: readonly Connection[], chaos: ChaosStack): string[] {
  const there = connections.filter((one) => one.name === `longhaul-${name}`).length;
  const processes = chaos.stack.processes().filter(({ spec }) => spec.name === name).length;
  return there > processes ? [`${processes} ${name}s have ${there} connections to NATS`] : [];
}

/** Where the system tells what a process has open. */
async function crowded({ stack }: ChaosStack): Promise<string[]> {
  if (process.platform !== "linux") return [];
  const services = stack.processes().filter(({ spec }) => SERVICES.includes(spec.name));
  const counts = await Promise.all(
    services.map(async ({ spec, pid }) => {
      const folder = `/proc/${pid()}/fd`;
      const files = await readdir(folder).catch(() => []);
      const targets = await Promise.all(files.map((file) => readlink(`${folder}/${file}`).catch(() => "")));
      const sockets = targets.filter((target) => target.startsWith("socket:")).length;
      return sockets > MOST_SOCKETS ? [`${spec.name} ${pid()} has ${sockets} open sockets`] : [];
    }),
  );
  return counts.flat();
}
