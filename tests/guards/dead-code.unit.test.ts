import { afterAll, beforeAll, expect, test } from "vitest";
import { type DeadCode, type PlantedTree, plantedTree } from "./planted-tree.ts";

let tree: PlantedTree;
let dead: DeadCode;

beforeAll(async () => {
  tree = await plantedTree();
  await tree.plant("libs/job/src/index.ts", 'export { used } from "./planted.ts";');
  await tree.plant("libs/job/src/planted.ts", "export const used = 1;\nexport const unwanted = 2;");
  await tree.plant("libs/job/src/forgotten.ts", "export const a = 1;");
  await tree.plant("services/processor/src/main.ts", 'import "@longhaul/job";\nimport "left-pad";');
  dead = await tree.deadCode();
}, 60_000);

afterAll(() => tree?.remove());

test("an export that nobody imports, a file that nobody reaches", () => {
  expect(dead["libs/job/src/planted.ts"]?.exports).toEqual(["unwanted"]);
  expect(dead["libs/job/src/forgotten.ts"]?.files).toEqual(["libs/job/src/forgotten.ts"]);
});

test("a dependency that nobody uses, and one that nobody declares", () => {
  expect(dead["services/processor/package.json"]?.dependencies).toContain("@longhaul/objects");
  expect(dead["services/processor/package.json"]?.dependencies).not.toContain("@longhaul/job");
  expect(dead["services/processor/src/main.ts"]?.unlisted).toEqual(["left-pad"]);
});
