import { afterAll, beforeAll, expect, test } from "vitest";
import { type Finding, type PlantedTree, plantedTree } from "./planted-tree.ts";

const RULE = "noRestrictedImports";

/** What each part must not import. */
const FORBIDDEN: Record<string, string[]> = {
  "libs/contracts/src/planted.ts": [
    ...packages("job", "runtime", "bus", "store", "objects", "gateway", "local"),
    "pino",
    "mongodb",
    "node:fs",
    "node:fs/promises",
    "node:net",
    "node:http",
    "node:https",
    "node:timers",
    "node:timers/promises",
    "node:process",
    "../../job/src/index.ts",
    "../../../services/gateway/src/app.ts",
  ],
  "libs/job/src/planted.ts": [
    ...packages("runtime", "bus", "store", "objects", "processor"),
    "zod",
    "@nats-io/jetstream",
    "node:fs",
    "node:net",
    "node:http",
    "node:timers/promises",
    "../../contracts/src/index.ts",
    "../../runtime/src/clock.ts",
  ],
  "libs/runtime/src/planted.ts": [
    ...packages("bus", "store", "objects", "gateway"),
    "mongodb",
    "@nats-io/transport-node",
    "@aws-sdk/client-s3",
    "node:process",
    "../../bus/src/index.ts",
    "../../job/src/index.ts",
  ],
  "libs/bus/src/planted.ts": [
    ...packages("store", "objects", "processor"),
    "mongodb",
    "@aws-sdk/client-s3",
    "../../store/src/index.ts",
  ],
  "libs/store/src/planted.ts": [
    ...packages("bus", "objects", "notifier"),
    "@nats-io/jetstream",
    "@aws-sdk/client-s3",
    "../../bus/src/index.ts",
  ],
  "libs/objects/src/planted.ts": [
    ...packages("bus", "store", "gateway"),
    "@nats-io/jetstream",
    "mongodb",
    "../../store/src/index.ts",
  ],
  "services/gateway/src/planted.ts": [
    ...packages("processor", "notifier", "local"),
    ...drivers(),
    "../../processor/src/service.ts",
    "../../../libs/bus/src/connect.ts",
    "node:process",
  ],
  "services/processor/src/planted.ts": [
    ...packages("gateway", "notifier"),
    ...drivers(),
    "../../notifier/src/service.ts",
  ],
  "services/notifier/src/deeper/planted.ts": [
    ...packages("gateway", "processor"),
    ...drivers(),
    "../../../gateway/src/app.ts",
  ],
  "libs/bus/src/put-once.ts": [
    ...drivers(),
    ...packages("store", "gateway"),
    "node:fs",
    "node:timers/promises",
    "node:process",
  ],
  "services/processor/src/job/planted.ts": [...drivers(), ...packages("gateway"), "node:timers/promises", "node:net"],
  "services/processor/src/housekeeping/planted.ts": [...drivers(), ...packages("notifier"), "node:timers", "node:fs"],
  "services/gateway/src/downloads/create.ts": [...drivers(), ...packages("processor"), "node:timers/promises"],
  "services/gateway/src/downloads/control.ts": [...drivers(), ...packages("processor"), "node:timers/promises"],
};

/** What each part may import: a rule that forbids everything would pass the test above. */
const ALLOWED: Record<string, string[]> = {
  "libs/contracts/src/api/allowed.ts": ["zod", "./job.ts", "../subjects.ts"],
  "libs/job/src/allowed.ts": ["@longhaul/contracts", "./commands.ts", "./testing/records.ts"],
  "libs/runtime/src/config/allowed.ts": ["@longhaul/contracts", "@longhaul/job", "zod", "node:http", "../clock.ts"],
  "libs/bus/src/allowed.ts": [...packages("contracts", "job", "runtime"), "@nats-io/jetstream", "./connect.ts"],
  "libs/store/src/allowed.ts": [...packages("contracts", "job", "runtime"), "mongodb", "./view.ts"],
  "libs/objects/src/allowed.ts": [...packages("contracts", "runtime"), "@aws-sdk/client-s3", "./presign.ts"],
  "services/gateway/src/live/allowed.ts": [
    ...packages("contracts", "job", "runtime", "bus", "store", "objects"),
    "node:stream",
    "../downloads/create.ts",
  ],
  "services/processor/src/job/allowed.ts": [...packages("contracts", "job", "runtime", "bus"), "../source/source.ts"],
  "libs/bus/src/free.int.test.ts": ["../../../tests/support/servers.ts", "@longhaul/store", "mongodb", "node:timers"],
  "deploy/local/src/free.ts": [...packages("bus", "store", "objects"), "../../../services/gateway/src/main.ts"],
  "tests/support/free.ts": ["mongodb", "@nats-io/jetstream", "../../services/gateway/src/app.ts"],
};

/** The forms in which a module can be named; each has to be caught. */
const FORMS: Record<string, (module: string) => string> = {
  "import value": (module) => `import { a } from "${module}"; export const b = a;`,
  "import type": (module) => `import type { A } from "${module}"; export type B = A;`,
  "import for effect": (module) => `import "${module}";`,
  "export value": (module) => `export { a } from "${module}";`,
  "export type": (module) => `export type { A } from "${module}";`,
  "await import": (module) => `export const a = await import("${module}");`,
};

let tree: PlantedTree;
let findings: Finding[];

beforeAll(async () => {
  tree = await plantedTree();
  for (const [file, modules] of Object.entries(FORBIDDEN)) {
    await tree.plant(file, modules.flatMap((module) => Object.values(FORMS).map((form) => form(module))).join("\n"));
  }
  for (const [file, modules] of Object.entries(ALLOWED)) {
    await tree.plant(file, modules.map((module) => `import "${module}";`).join("\n"));
  }
  findings = await tree.lint();
}, 60_000);

afterAll(() => tree?.remove());

test.each(Object.entries(FORBIDDEN))("%s: no forbidden import passes, in no form", (file, modules) => {
  const caught = new Set(findings.filter((it) => it.file === file && it.rule === RULE).map((it) => it.line));
  const planted = modules.flatMap((module) => Object.keys(FORMS).map((form) => `${form} of ${module}`));
  expect(planted.filter((_, index) => !caught.has(index + 1))).toEqual([]);
});

test.each(Object.entries(ALLOWED))("%s: what is allowed passes", (file, modules) => {
  const caught = findings.filter((it) => it.file === file && it.rule === RULE).map((it) => modules[it.line - 1]);
  expect(caught).toEqual([]);
});

function packages(...names: string[]): string[] {
  return names.map((name) => `@longhaul/${name}`);
}

function drivers(): string[] {
  return ["mongodb", "@nats-io/jetstream", "@nats-io/transport-node", "@aws-sdk/client-s3"];
}
