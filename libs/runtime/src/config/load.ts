import { z } from "zod";
import { BootError } from "../boot-error.ts";
import type { Environment } from "../environment.ts";
import { redact } from "../redaction.ts";

/** Schema of a service's settings: camelCase keys, each read from the variable of the same name in capitals. */
export type ConfigSchema = z.ZodObject;

/** The settings that a shape describes: `Settings<typeof natsConfig>`. */
export type Settings<Shape extends z.ZodRawShape> = Readonly<z.infer<z.ZodObject<Shape>>>;

/** Some variables are missing or wrong; the message names every one of them. */
export class ConfigError extends BootError {
  override readonly name = "ConfigError";

  constructor(problems: readonly string[]) {
    super(
      `The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}\n`).join("")}` +
        "Set or correct these environment variables and start again.",
      { code: "CONFIG_INVALID" },
    );
  }
}

/** `ackWaitMs` -> `ACK_WAIT_MS` */
export const variableOf = (key: string) => key.replace(/[A-Z]/g, "_$&").toUpperCase();

const SECRET = /secret|password|token/i;

/**
 * Reads the settings of `schema` from the environment. An empty variable counts as unset.
 * @returns a frozen object
 * @throws ConfigError (code `CONFIG_INVALID`) that names every missing or wrong variable at once
 */
export function loadConfig<S extends ConfigSchema>(schema: S, env: Environment): Readonly<z.infer<S>> {
  const input = Object.fromEntries(Object.keys(schema.shape).map((key) => [key, env[variableOf(key)] || undefined]));
  const parsed = schema.safeParse(input);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map((issue) => describe(schema, input, String(issue.path[0]), issue.message));
  throw new ConfigError([...new Set(problems)]);
}

function describe(schema: ConfigSchema, input: Record<string, unknown>, key: string, message: string): string {
  const field = schema.shape[key];
  const variable = variableOf(key);
  const about = field instanceof z.ZodType && field.description ? ` (${field.description})` : "";
  if (input[key] === undefined) return `${variable} is missing${about}`;
  const shown = SECRET.test(key) ? "" : ` is ${JSON.stringify(redact(String(input[key])))} but`;
  return `${variable}${shown} ${message}${about}`;
}

/** The settings for the start-up log: secrets and the credentials inside URLs are masked. */
export function maskedConfig(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const mask = (key: string, value: unknown): unknown => {
    if (value !== undefined && SECRET.test(key)) return "***";
    if (Array.isArray(value)) return value.map((item) => mask(key, item));
    return typeof value === "string" ? redact(value) : value;
  };
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, mask(key, value)]));
}
