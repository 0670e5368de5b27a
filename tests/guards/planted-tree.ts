import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const REPO = resolve(import.meta.dirname, "../..");
const WORKSPACES = [
  "libs/contracts",
  "libs/job",
  "libs/runtime",
  "libs/bus",
  "libs/store",
  "libs/objects",
  "services/gateway",
  "services/processor",
  "services/notifier",
  "deploy/local",
];

/** A finding of the linter: the rule's name (`plugin` for one of ours) and where it struck. */
export type Finding = { file: string; line: number; rule: string };

/** A copy of the repository's skeleton and lint configuration in a folder of its own, to plant violations in. */
export type PlantedTree = {
  plant(file: string, source: string): Promise<void>;
  lint(): Promise<Finding[]>;
  remove(): Promise<void>;
};

export async function plantedTree(): Promise<PlantedTree> {
  const root = await mkdtemp(join(tmpdir(), "longhaul-guards-"));
  for (const file of ["biome.json", "biome", ".gitignore", "package.json"]) {
    await cp(join(REPO, file), join(root, file), { recursive: true });
  }
  for (const workspace of WORKSPACES) {
    await mkdir(join(root, workspace), { recursive: true });
    await cp(join(REPO, workspace, "package.json"), join(root, workspace, "package.json"));
  }
  return {
    async plant(file, source) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), `${source}\n`);
    },
    lint: () => lint(root),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

type Diagnostic = { category: string; location: { path: string; start: { line: number } } };

function lint(root: string): Promise<Finding[]> {
  const biome = join(REPO, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "lint", "--reporter=json", "--max-diagnostics=none"];
  return new Promise((done, fail) => {
    // Biome exits with 1 when it finds something; only a missing report is an error.
    execFile(process.execPath, args, { cwd: root, timeout: 60_000, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (!stdout.startsWith("{")) {
        fail(new Error(`biome gave no report: ${stderr}`, { cause: error }));
        return;
      }
      const report = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
      done(
        report.diagnostics.map(({ category, location }) => ({
          file: location.path,
          line: location.start.line,
          rule: category.split("/").at(-1) ?? category,
        })),
      );
    });
  });
}
