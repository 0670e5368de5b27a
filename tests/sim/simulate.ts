import { Chaos } from "./actors/chaos.ts";
import { Crew } from "./actors/crew.ts";
import { GatewayActor } from "./actors/gateway-actor.ts";
import { Lifetimes } from "./actors/lifetimes.ts";
import { NotifierActor } from "./actors/notifier-actor.ts";
import { Promises } from "./actors/promises.ts";
import { planRequeueSweep } from "./actors/requeue-sweep.ts";
import { Users } from "./actors/users.ts";
import { WorkerActor } from "./actors/worker-actor.ts";
import { BusServer } from "./bus/bus-server.ts";
import { CleanupConsumer } from "./bus/cleanup-consumer.ts";
import { FenceCheck } from "./checks/fence-check.ts";
import { ItemCheck } from "./checks/item-check.ts";
import { KeyCheck } from "./checks/key-check.ts";
import { LifetimeCheck } from "./checks/lifetime-check.ts";
import { NamesCheck } from "./checks/names-check.ts";
import { PartsCheck } from "./checks/parts-check.ts";
import { QuietCheck } from "./checks/quiet-check.ts";
import { AcceptedCheck, restless } from "./checks/rest-check.ts";
import { ResultCheck } from "./checks/result-check.ts";
import { StallCheck } from "./checks/stall-check.ts";
import { StateCheck } from "./checks/state-check.ts";
import { TakeoverCheck } from "./checks/takeover-check.ts";
import { ViewCheck } from "./checks/view-check.ts";
import { Witnesses } from "./checks/witness.ts";
import { EPOCH } from "./kernel/process.ts";
import type { Statistics } from "./kernel/statistics.ts";
import { ObjectServer } from "./objects/object-server.ts";
import { sourceObjectAt } from "./objects/simulated-source.ts";
import { type Options, optionsOf } from "./options.ts";
import type { Scene } from "./scene.ts";
import { project } from "./views/projection.ts";
import { ViewServer } from "./views/view-server.ts";
import { type Violation, World } from "./world.ts";

const MINUTE = 60_000;
/** From the end of the faults to rest: three tries with the longest waits between them, and the sweep. */
const REST_WITHIN_MS = 90 * MINUTE;
/** Where days pass: an expiry that is away for long, then the orphan sweep. */
const LONG_REST_WITHIN_MS = 5 * 24 * 60 * MINUTE;
/** Both look for the same jobs. */
const NOTIFIERS = 2;
/** At rest nothing changes any more: looked at for this long. */
const REST_MS = 3 * MINUTE;
/** Between two looks whether it rests. */
const LOOK_MS = 1_000;

export type History = {
  seed: number;
  options: Options;
  violation: Violation | null;
  statistics: Statistics;
  /** Of all events: equal for equal histories. */
  hash: string;
  events: number;
};

/** Lives through the one history that this seed stands for, up to its first broken promise or to rest. */
export async function simulate(seed: number): Promise<History> {
  const options = optionsOf(seed);
  const world = new World(seed, options);
  const { scene, promises } = setUp(world);
  const { users } = populate(scene, promises);

  const deadline = options.faultsEndMs + (options.long ? LONG_REST_WITHIN_MS : REST_WITHIN_MS);
  let restSince: number | null = null;
  let lookedAt = 0;
  while (world.violation === null && (await world.scheduler.step())) {
    if (world.faulty || world.now - lookedAt < LOOK_MS) continue;
    lookedAt = world.now;
    if (users.busy || restless(scene).length > 0) restSince = null;
    else restSince ??= world.now;
    if (restSince !== null && world.now - restSince > REST_MS) break;
    if (world.now > deadline) break;
  }
  if (world.violation === null) conclude(scene);
  world.statistics.count(`histories that were ${options.mood}${options.long ? " and long" : ""}`);
  world.statistics.count("virtual minutes", Math.round(world.now / MINUTE));
  return {
    seed,
    options,
    violation: world.violation,
    statistics: world.statistics,
    hash: world.log.hash(),
    events: world.log.length,
  };
}

function setUp(world: World): { scene: Scene; promises: Promises } {
  const server = new BusServer(world);
  const now = () => EPOCH + Math.floor(world.now);
  const store = new ObjectServer(world.options.objects, now, (key) => sourceObjectAt(world, key));
  const cleanup = new CleanupConsumer(server.jobs, world.scheduler, world.options.ackWaitMs);
  const views = new ViewServer(now);
  const promises = new Promises();
  const witnesses = new Witnesses([
    new StateCheck({ world, views }, promises),
    new LifetimeCheck(world),
    new ViewCheck({ world, server, views }),
    new KeyCheck({ world, views, store }),
    new QuietCheck(world),
    new StallCheck(world),
    new ItemCheck({ world, server }),
    new TakeoverCheck(world),
    new FenceCheck(world),
    new NamesCheck({ world, server, views, store }),
    new PartsCheck({ world, store }),
    new ResultCheck({ world, store, server }),
    new AcceptedCheck({ world, server, views }, promises),
  ]);
  server.jobs.onStored((write) => witnesses.onStored(write));
  project(world, server, views);
  server.work.onGone((sequence, item) => witnesses.onGone(sequence, item));
  return { scene: { world, server, cleanup, views, store, witnesses }, promises };
}

function populate(scene: Scene, promises: Promises): { users: Users } {
  const { world } = scene;
  const { options } = world;
  const places = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind}-${i + 1}`);
  const workers = new Crew(places("worker", options.workers).map((place) => new WorkerActor(scene, place, 1)));
  const gateways = new Crew(
    places("gateway", options.gateways).map((place) => new GatewayActor(scene, promises, place, 1)),
  );
  const notifiers = new Crew(places("notifier", NOTIFIERS).map((place) => new NotifierActor(scene, place, 1)));
  const users = new Users(scene, gateways);
  users.plan();
  const chaos = new Chaos(scene, { workers, gateways, notifiers });
  chaos.plan();
  new Lifetimes(scene, { users, notifiers, chaos }).plan();
  if (!world.options.requeueSweep) planRequeueSweep(scene, promises);
  return { users };
}

function conclude(scene: Scene): void {
  const [left] = restless(scene);
  if (left) {
    scene.world.violate(`the world does not come to rest: ${left.text}`, left.job);
    return;
  }
  scene.witnesses.atRest();
}
