import { readFile } from "node:fs/promises";

/** Memory that a process holds now, and the most that it ever held, in bytes; 0 where only Linux would tell. */
export type ResidentMemory = { now: number; most: number };

export async function residentMemory(pid: number): Promise<ResidentMemory> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const bytes = (field: string) => 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0);
  return { now: bytes("VmRSS"), most: bytes("VmHWM") };
}
