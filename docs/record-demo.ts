// `npm run docs:demo`: runs the demo and draws what it printed as docs/demo.svg.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../", import.meta.url));
const LINE_HEIGHT = 20;
const MARGIN = 16;
const COLUMNS = 120;
const CHARACTER_WIDTH = 8.43;

const command = ["deploy/local/src/demo.ts"];
const demo = spawn(process.execPath, command, { cwd: REPOSITORY, stdio: ["ignore", "pipe", "inherit"] });
let printed = "";
for await (const piece of demo.stdout) printed += piece;
if (demo.exitCode === null) await once(demo, "exit");
if (demo.exitCode !== 0) {
  console.error("The demo failed, so there is no picture of it.");
  process.exit(1);
}
await writeFile(new URL("demo.svg", import.meta.url), picture(["$ npm run demo", ...shown(printed)]));

/** What a terminal would show: of a bar that moved only its last state. Where a server was found is nobody's business. */
function shown(text: string): string[] {
  const lines = text.trimEnd().split("\n");
  const last = lines.filter((line, i) => barLabel(line) === null || barLabel(line) !== barLabel(lines[i + 1] ?? ""));
  return last.map((line) => line.replace(/ \((?:cache|wheel)[^)]*\)/, "").slice(0, COLUMNS));
}

function barLabel(line: string): string | null {
  return /^(\w+) +\[[#-]+\]/.exec(line)?.[1] ?? null;
}

function picture(lines: string[]): string {
  const width = Math.ceil(COLUMNS * CHARACTER_WIDTH) + 2 * MARGIN;
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const text = lines.map((line, i) => {
    const y = MARGIN + (i + 1) * LINE_HEIGHT - 5;
    return `<text x="${MARGIN}" y="${y}" xml:space="preserve">${escaped(line)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="The demo in a terminal">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#1b1f27"/>`,
    '<g fill="#d7dce5" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">',
    ...text,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
