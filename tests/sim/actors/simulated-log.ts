import type { Logger } from "@longhaul/runtime";
import type { Process } from "../kernel/process.ts";
import type { World } from "../world.ts";

/** What may be logged as the cause of something that is tried again. */
const FORESEEN = ["BusError", "ObjectsError", "StoreError", "RunLost"];

/** What a process logs shows in the history; an error that nobody foresaw is a defect. */
export function simulatedLog(world: World, process: Process): Logger {
  const logged = ({ err, job_id }: { err?: unknown; job_id?: string }, text: string) => {
    world.log.add(job_id ?? null, `${process.name}  logs: ${text} (${err})`);
    if (err instanceof Error && !FORESEEN.includes(err.name)) unforeseen(world, process, err, job_id ?? null);
  };
  const log = { child: () => log, info: () => {}, debug: () => {}, warn: logged, error: logged };
  return log as unknown as Logger;
}

/** Nobody foresaw this error. */
export function unforeseen(world: World, { name }: Process, error: Error, job: string | null): void {
  const cause = error.cause instanceof Error ? error.cause : error;
  world.violate(`${name} met an error that nobody foresaw: ${cause.stack}`, job);
}
