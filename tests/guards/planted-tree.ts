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

/** What knip found: for each file the names by kind of issue. */
export type DeadCode = Record<string, Partial<Record<"files" | "exports" | "dependencies" | "unlisted", string[]>>>;

/** A copy of the repository's skeleton and lint configuration in a folder of its own, to plant violations in. */
export type PlantedTree = {
  plant(file: string, source: string): Promise<void>;
  lint(): Promise<Finding[]>;
  deadCode(): Promise<DeadCode>;
  remove(): Promise<void>;
};

export async function plantedTree(): Promise<PlantedTree> {
  const root = await mkdtemp(join(tmpdir(), "longhaul-guards-"));
  for (const file of ["biome.json", "biome", "knip.jsonc", ".gitignore", "package.json"]) {
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
    deadCode: () => deadCode(root),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

type Diagnostic = { category: string; location: { path: string; start: { line: number } } };

async function lint(root: string): Promise<Finding[]> {
  const args = ["lint", "--reporter=json", "--max-diagnostics=none"];
  const report = await reportOf<{ diagnostics: Diagnostic[] }>(root, "@biomejs/biome/bin/biome", args);
  return report.diagnostics.map(({ category, location }) => ({
    file: location.path,
    line: location.start.line,
    rule: category.split("/").at(-1) ?? category,
  }));
}

type KnipIssue = { file: string } & Record<string, string | { name: string }[]>;

async function deadCode(root: string): Promise<DeadCode> {
  const report = await reportOf<{ issues: KnipIssue[] }>(root, "knip/bin/knip.js", ["--reporter=json"]);
  const names = (found: KnipIssue[string] | undefined) => (Array.isArray(found) ? found.map(({ name }) => name) : []);
  return Object.fromEntries(
    report.issues.map((issue) => [
      issue.file,
      {
        files: names(issue.files),
        exports: names(issue.exports),
        dependencies: names(issue.dependencies),
        unlisted: names(issue.unlisted),
      },
    ]),
  );
}

/** Runs a tool on the tree and reads its JSON report. The tools exit with 1 when they find something; that is no error. */
function reportOf<Report>(root: string, tool: string, args: string[]): Promise<Report> {
  const command = [join(REPO, "node_modules", tool), ...args];
  return new Promise((done, fail) => {
    execFile(process.execPath, command, { cwd: root, timeout: 60_000, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (stdout.startsWith("{")) done(JSON.parse(stdout) as Report);
      else fail(new Error(`${tool} gave no report: ${stderr}`, { cause: error }));
    });
  });
}
