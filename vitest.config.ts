import { defineConfig } from "vitest/config";
import { TallyReporter } from "./tests/runner/tally-reporter.ts";
import { scaled } from "./tests/support/scale.ts";

const SECOND = 1000;
const PARTS = "{libs,services}/*/src";

export default defineConfig({
  test: {
    reporters: ["default", new TallyReporter()],
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: [
            `${PARTS}/**/*.unit.test.ts`,
            "deploy/local/src/**/*.unit.test.ts",
            "load/**/*.unit.test.ts",
            "tests/**/*.unit.test.ts",
          ],
          testTimeout: 10 * SECOND,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "int",
          include: [`${PARTS}/**/*.int.test.ts`, "deploy/local/src/**/*.int.test.ts", "tests/**/*.int.test.ts"],
          globalSetup: ["tests/support/servers.ts"],
          testTimeout: 30 * SECOND,
          hookTimeout: 60 * SECOND,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["tests/e2e/**/*.e2e.test.ts"],
          globalSetup: ["tests/support/servers.ts"],
          fileParallelism: false,
          testTimeout: scaled({ short: 120 * SECOND, full: 900 * SECOND }),
          hookTimeout: 180 * SECOND,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
