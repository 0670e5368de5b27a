import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { PLANTS, plantInto } from "./plant.ts";

const run = promisify(execFile);
const HOOK = new URL("./load-plant.ts", import.meta.url);
/** Histories in which each must be found; most are found in less than a tenth of them. */
const SEEDS = 1_000;
const FREQUENT_SEEDS = 200;
const FREQUENT: ReadonlySet<string> = new Set([
  "always-ack-when-fenced",
  "no-read-back-of-an-unanswered-write",
  "refused-claim-takes-over-a-run-it-had-not-seen",
]);
const seedsFor = (plant: string) => (FREQUENT.has(plant) ? FREQUENT_SEEDS : SEEDS);
const PATIENCE_MS = 120_000;

type Ended = { code: number; output: string };

/** Runs the simulation with the plant, as its own process, because a module is loaded once in a process. */
async function simulateWith(plant: string): Promise<Ended> {
  const args = ["--import", `${HOOK.href}?plant=${plant}`, "tests/sim/main.ts", "--seeds", String(seedsFor(plant))];
  try {
    const { stdout } = await run(process.execPath, args, { timeout: PATIENCE_MS });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

const cases = PLANTS.map(({ name }) => [name, seedsFor(name)] as const);
test.each(cases)("finds %s within %i seeds", { timeout: PATIENCE_MS }, async (plant) => {
  const { code, output } = await simulateWith(plant);
  expect(output).toContain("VIOLATION with seed");
  expect(output).toMatch(/Replay it: npm run sim -- --seed \d+/);
  expect(code).toBe(1);
});

test("a plant that there is not is refused", { timeout: PATIENCE_MS }, async () => {
  const { code, output } = await simulateWith("nothing");
  expect(output).toContain("There is no plant nothing.");
  expect(code).not.toBe(0);
});

test("a plant whose text is not there exactly once is refused", () => {
  const plant = { name: "some", file: "some.ts", find: "a", replace: "$&b" };
  expect(plantInto("xay", plant)).toBe("x$&by");
  expect(() => plantInto("xyz", plant)).toThrow("0 times");
  expect(() => plantInto("xaay", plant)).toThrow("2 times");
});
