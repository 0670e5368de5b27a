import { afterAll, beforeAll, expect, test } from "vitest";
import { type Finding, type PlantedTree, plantedTree } from "./planted-tree.ts";

/** Parts that are pure or run in the simulation: the world comes in through arguments. */
const WORLDLESS = [
  "libs/contracts/src/planted.ts",
  "libs/job/src/planted.ts",
  "libs/bus/src/put-once.ts",
  "services/processor/src/job/planted.ts",
  "services/processor/src/housekeeping/planted.ts",
  "services/gateway/src/downloads/create.ts",
  "services/gateway/src/downloads/job-write.ts",
  "services/gateway/src/downloads/control.ts",
  "services/notifier/src/expiry/expiry-loop.ts",
];

/** One line of source and the rule that has to catch it. */
type Planted = [source: string, rule: string];

const WORLD: Planted[] = [
  ["export const a1 = Date.now();", "noJsRestrictedProperties"],
  ["export const { now } = Date;", "noJsRestrictedProperties"],
  ["export const a2 = new Date();", "plugin"],
  ["export const a3 = Date();", "plugin"],
  ["export const a4 = Math.random();", "noJsRestrictedProperties"],
  ["export const a5 = AbortSignal.timeout(1);", "noJsRestrictedProperties"],
  ["export const a6 = setTimeout(() => undefined, 1);", "noRestrictedGlobals"],
  ["export const a7 = setInterval(() => undefined, 1);", "noRestrictedGlobals"],
  ["export const a8 = setImmediate(() => undefined);", "noRestrictedGlobals"],
  ["export const a9 = globalThis.setTimeout(() => undefined, 1);", "noRestrictedGlobals"],
  ["export const b1 = performance.now();", "noRestrictedGlobals"],
  ["export const b2 = crypto.randomUUID();", "noRestrictedGlobals"],
  ['export const b3 = fetch("http://localhost");', "noRestrictedGlobals"],
  ["export const b4 = process.hrtime();", "noRestrictedGlobals"],
];

/** Clock and chance by the back door; libs/contracts and libs/job may not import these packages at all. */
const WORLD_BY_IMPORT: Planted[] = [
  ['import { randomUUID } from "node:crypto"; export const c1 = randomUUID();', "noRestrictedImports"],
  ['import { systemClock } from "@longhaul/runtime"; export const c2 = systemClock;', "noRestrictedImports"],
  ['import { systemRandom } from "@longhaul/runtime"; export const c3 = systemRandom;', "noRestrictedImports"],
];

const ENVIRONMENT: Planted[] = [
  ["export const a = process.env.HOME;", "noProcessEnv"],
  ["export const { env } = process;", "noJsRestrictedProperties"],
  ['export const b = process["env"];', "noJsRestrictedProperties"],
  ['import p from "node:process"; export const c = p.env;', "noRestrictedImports"],
  ['import { env as e } from "node:process"; export const d = e;', "noRestrictedImports"],
  ['import q from "process"; export const f = q.env;', "useNodejsImportProtocol"],
];

const HABITS: Planted[] = [
  ["export const a = (value: any): unknown => value;", "noExplicitAny"],
  ["export default 1;", "noDefaultExport"],
  ["export enum Colour { Red }", "noEnum"],
  ["export class B { constructor(private readonly c: number) {} }", "noParameterProperties"],
  ["export namespace N { export const d = 1; }", "noNamespace"],
  ['console.log("e");', "noConsole"],
  ["export async function f(): Promise<void> {} f();", "noFloatingPromises"],
  ["export const g = (h: string[]): string => h[0]!;", "noNonNullAssertion"],
  ['export * from "./other.ts";', "noReExportAll"],
  ['import { I } from "./other.ts"; export const j = (k: I): I => k;', "useImportType"],
  ['import { l } from "./other"; export const m = l;', "useImportExtensions"],
  ['import { n } from "left-pad"; export const o = n;', "noUndeclaredDependencies"],
  ['export function p(): void { throw "text"; }', "useThrowOnlyError"],
];

const PLANTED: Record<string, Planted[]> = {
  ...Object.fromEntries(WORLDLESS.map((file) => [file, WORLD])),
  "services/processor/src/job/by-import.ts": WORLD_BY_IMPORT,
  "libs/runtime/src/config/load.ts": ENVIRONMENT,
  "libs/bus/src/planted.ts": ENVIRONMENT,
  "services/gateway/src/main.ts": ENVIRONMENT,
  "deploy/local/src/planted.ts": ENVIRONMENT,
  "tests/support/planted.ts": ENVIRONMENT,
  "libs/store/src/planted.ts": HABITS,
  "services/notifier/src/planted.ts": HABITS,
};

let tree: PlantedTree;
let findings: Finding[];

beforeAll(async () => {
  tree = await plantedTree();
  for (const [file, planted] of Object.entries(PLANTED)) {
    await tree.plant(file, planted.map(([source]) => source).join("\n"));
  }
  for (const folder of ["libs/store/src", "services/notifier/src"]) {
    await tree.plant(`${folder}/other.ts`, "export type I = string; export const l = 1;");
  }
  await tree.plant("libs/runtime/src/environment.ts", "export const environment = Object.freeze({ ...process.env });");
  await tree.plant("libs/job/src/allowed.ts", "export const due = (at: string): Date => new Date(at);");
  await tree.plant("libs/store/src/one.ts", 'import { two } from "./two.ts"; export const one = (): unknown => two;');
  await tree.plant("libs/store/src/two.ts", 'import { one } from "./one.ts"; export const two = (): unknown => one;');
  await tree.plant("libs/store/src/NotKebab.ts", "export const a = 1;");
  findings = await tree.lint();
}, 60_000);

afterAll(() => tree?.remove());

test.each(Object.entries(PLANTED))("%s: every planted violation is caught by its rule", (file, planted) => {
  const caught = new Set(findings.filter((it) => it.file === file).map((it) => `${it.line} ${it.rule}`));
  expect(planted.filter(([, rule], index) => !caught.has(`${index + 1} ${rule}`))).toEqual([]);
});

test("an import cycle is caught", () => {
  expect(rulesAt("libs/store/src/one.ts")).toContain("noImportCycles");
  expect(rulesAt("libs/store/src/two.ts")).toContain("noImportCycles");
});

test("a file name that is not kebab-case is caught", () => {
  expect(rulesAt("libs/store/src/NotKebab.ts")).toContain("useFilenamingConvention");
});

test("the one file that may read process.env, and a time that comes as an argument, pass", () => {
  expect(rulesAt("libs/runtime/src/environment.ts")).toEqual([]);
  expect(rulesAt("libs/job/src/allowed.ts")).toEqual([]);
});

function rulesAt(file: string): string[] {
  return findings.filter((it) => it.file === file).map((it) => it.rule);
}
