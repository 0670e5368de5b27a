import { z } from "zod";
import { type ConfigSchema, variableOf } from "../libs/runtime/src/config/load.ts";

/** A program and the schema of its settings. */
export type Program = { name: string; schema: ConfigSchema };

/** A chapter of the reference: its settings, whoever reads them. */
export type Chapter = { title: string; keys: string[] };

type Row = { variable: string; value: string; readBy: string; about: string };

/** The table of every environment variable, from the schemas that read them: `docs/configuration.md`. */
export function configurationMarkdown(chapters: Chapter[], programs: Program[]): string {
  const lines = [
    "# Configuration",
    "",
    "Generated from the schemas by `npm run docs`; do not edit.",
    "",
    "Every setting is an environment variable. All are read and checked once, at start; whatever is missing or wrong is named",
    "at once. An empty variable counts as unset. The unit is in the name (`_MS`, `_SECONDS`, `_BYTES`); booleans are exactly",
    "`true` or `false`; lists are separated by commas. `npm start` passes its own environment on to the services and fills in",
    "what they need.",
  ];
  for (const { title, keys } of chapters) {
    lines.push("", `## ${title}`, "", "| Variable | Default | Read by | |", "|---|---|---|---|");
    for (const row of rows(keys, programs)) {
      const value = row.value === "required" || row.value === "" ? row.value : `\`${row.value}\``;
      lines.push(`| \`${row.variable}\` | ${value} | ${row.readBy} | ${row.about.replaceAll("|", "\\|")} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** The same as a file of variables with their defaults: `.env.example`. */
export function environmentExample(chapters: Chapter[], programs: Program[]): string {
  const lines = [
    "# Generated from the schemas by `npm run docs`; do not edit. What it all means: docs/configuration.md",
  ];
  for (const { title, keys } of chapters) {
    lines.push("", `# ${title}`);
    for (const { variable, value, about } of rows(keys, programs)) {
      lines.push(`# ${about}`, value === "required" ? `${variable}=` : `# ${variable}=${value}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function rows(keys: string[], programs: Program[]): Row[] {
  return keys.map((key) => {
    const readers = programs.filter(({ schema }) => key in schema.shape);
    const defaults = readers.map(({ schema }) => defaultOf(schema.shape[key]));
    const same = new Set(defaults).size === 1;
    return {
      variable: variableOf(key),
      value: same ? (defaults[0] ?? "") : defaults.map((value, i) => `${value} (${readers[i]?.name})`).join(", "),
      readBy: readers.map(({ name }) => name).join(", "),
      about: readers[0] ? (field(readers[0].schema.shape[key]).description ?? "") : "",
    };
  });
}

/** What the schema makes of a variable that is not set. */
function defaultOf(schema: unknown): string {
  const unset = field(schema).safeParse(undefined);
  if (!unset.success) return "required";
  return unset.data === undefined ? "" : String(unset.data);
}

function field(schema: unknown): z.ZodType {
  if (schema instanceof z.ZodType) return schema;
  throw new TypeError("A setting is not described by a zod schema.");
}
