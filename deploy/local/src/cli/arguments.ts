import { parseArgs } from "node:util";
import { StackError } from "../stack-error.ts";

export type Flag =
  | { kind: "text"; placeholder: string; help: string }
  | { kind: "number"; min: number; max: number; placeholder: string; help: string };

export type Flags = Record<string, Flag>;
export type Values<F extends Flags> = { [name in keyof F]?: F[name] extends { kind: "number" } ? number : string };

/**
 * The values of `--name value` flags. Whatever is unknown, has no value or is not a whole number within its bounds is
 * an error that names it and shows what there is.
 */
export function parseFlags<F extends Flags>(usage: string, flags: F, argv: readonly string[]): Values<F> {
  const values = readArguments(usage, flags, argv);
  const parsed: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(values)) {
    const flag = flags[name];
    if (flag && value !== undefined) {
      parsed[name] = flag.kind === "number" ? parseWhole(`--${name}`, value, flag) : value;
    }
  }
  return parsed as Values<F>;
}

/** A whole number from `min` to `max`; `name` is the flag or variable that it was given in. */
export function parseWhole(name: string, value: string, { min, max }: { min: number; max: number }): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw new StackError(`${name} must be a whole number from ${min} to ${max}; it is "${value}".`, { code: "USAGE" });
  }
  return number;
}

/** One line for each flag. */
function describeFlags(flags: Flags): string {
  const lines = Object.entries(flags).map(([name, flag]) => [`--${name} ${flag.placeholder}`, flag.help] as const);
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`).join("\n");
}

function readArguments(usage: string, flags: Flags, argv: readonly string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: "string" as const }]));
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    if (argv.some((flag) => flag === "--help" || flag === "-h")) {
      throw new StackError(`Usage: ${usage}\n${describeFlags(flags)}`, { code: "HELP", cause: error });
    }
    // Node advises what to type instead; the usage below does that better.
    const reason = (error instanceof Error ? error.message : String(error)).split("\n", 1)[0];
    throw new StackError(`${reason}\n\nUsage: ${usage}\n${describeFlags(flags)}`, { code: "USAGE", cause: error });
  }
}
