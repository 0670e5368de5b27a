import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bench, Round, Subject } from "./measurement.ts";
import { othersCpuPercent } from "./others-cpu.ts";
import { type Line, summarize, table } from "./summary.ts";

/** Measures the subjects of a bench in turn, prints what came of it, and writes it to `folder`. Gives the file's path. */
export async function runBench(bench: Bench, folder: string, say: (line: string) => void): Promise<string> {
  const { subjects, servers, close } = await bench.open(say);
  const skipped: string[] = [];
  try {
    const measured = await prepared(subjects, skipped, say);
    const rounds = await alternate(measured, bench.rounds, say);
    const lines = summarize(measured, rounds);
    say(["", ...servers, "", ...table(lines), ...skipped].join("\n"));
    return await write(folder, bench.name, { servers, lines, rounds, skipped });
  } finally {
    await Promise.allSettled(subjects.map((subject) => subject.close()));
    await close();
  }
}

async function prepared(subjects: Subject[], skipped: string[], say: (line: string) => void): Promise<Subject[]> {
  const ready: Subject[] = [];
  for (const subject of subjects) {
    say(`preparing  ${subject.name}`);
    const reason = await subject.prepare();
    if (reason === null) ready.push(subject);
    else skipped.push(`not measured: ${subject.name}: ${reason}`);
  }
  return ready;
}

/** Every subject once, then every subject again: what the machine does besides meets all of them alike. */
async function alternate(subjects: Subject[], rounds: number, say: (line: string) => void): Promise<Round[]> {
  const done: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const subject of subjects) {
      const others = await othersCpuPercent();
      const measurement = await subject.measure();
      done.push({ subject: subject.name, othersCpuPercent: others, measurement });
      const rate = `${measurement.rate.toFixed(0)} ${subject.unit}`;
      say(`round ${round}   ${subject.name}: ${rate} (CPU of others before: ${others} %)`);
    }
  }
  return done;
}

type Outcome = { servers: readonly string[]; lines: Line[]; rounds: Round[]; skipped: string[] };

async function write(folder: string, name: string, outcome: Outcome): Promise<string> {
  await mkdir(folder, { recursive: true });
  const at = new Date().toISOString();
  const path = join(folder, `${at.slice(0, 19).replaceAll(":", "")}-${name}.json`);
  await writeFile(path, `${JSON.stringify({ name, at, ...outcome }, null, 2)}\n`);
  return path;
}
