import { envBoolean, envChoice, envInt, envString, envUrl } from "./fields.ts";

const FILE_ID = "{file_id}";
const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** Files from this id on take this long to read. */
export type SyntheticRule = { fromId: number; durationMs: number };

function syntheticRule(text: string): SyntheticRule | null {
  const [, id = "", amount = "", unit = ""] = /^(\d{1,9}):(\d{1,9})(ms|s|m)$/.exec(text.trim()) ?? [];
  const durationMs = Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  return durationMs <= DAY_MS ? { fromId: Number(id), durationMs } : null;
}

/** `10000:1s,90000:120s`, in order of their ids. */
const syntheticRules = envString()
  .transform((value) => value.split(",").map(syntheticRule))
  .refine(
    (rules) => rules.every((rule) => rule !== null),
    "must be a comma list of id:duration, with durations such as 500ms, 1s or 2m, at most a day",
  )
  .transform((rules) => rules.filter((rule) => rule !== null).sort((a, b) => a.fromId - b.fromId));

function isTemplate(template: string): boolean {
  const example = template.replaceAll(FILE_ID, "10000");
  if (!template.includes(FILE_ID) || !URL.canParse(example)) return false;
  const { protocol, username, password, hash } = new URL(example);
  return (protocol === "https:" || protocol === "http:") && username + password + hash === "";
}

/** Where the files that people ask for come from. */
export const sourceConfig = {
  sourceKind: envChoice(["s3", "http", "synthetic", "none"])
    .default("s3")
    .describe("kind of source of new jobs: synthetic makes the bytes up, none moves no byte at all"),
  sourceKeyTemplate: envString()
    .refine((template) => template.includes(FILE_ID), `must contain ${FILE_ID}`)
    .default("downloads/{file_id}.zip")
    .describe("object key of a file id"),
  sourceS3Endpoint: envUrl().optional().describe("unset = S3_ENDPOINT"),
  sourceS3Region: envString().optional().describe("unset = S3_REGION"),
  sourceS3Bucket: envString().optional().describe("unset = S3_BUCKET"),
  sourceS3AccessKeyId: envString().optional().describe("unset = S3_ACCESS_KEY_ID"),
  sourceS3SecretAccessKey: envString().optional().describe("unset = S3_SECRET_ACCESS_KEY"),
  syntheticSizeBytes: envInt({ min: 0, max: 562 * 1024 ** 3 })
    .default(1_048_576)
    .describe("size of each made-up file"),
  syntheticRateBytesPerSecond: envInt({ min: 0, max: 1e12 })
    .default(0)
    .describe("how fast a made-up file comes where no rule says; 0 = unlimited"),
  syntheticSeed: envInt({ min: 0, max: 2 ** 31 })
    .default(1)
    .describe("another seed makes other bytes"),
  syntheticRules: syntheticRules
    .default([])
    .describe("how long made-up files take, by their id: `10000:1s,90000:120s` = 1 s, and 120 s from id 90000 on"),
  httpSourceTemplate: envString()
    .refine(isTemplate, `must be an http or https URL with ${FILE_ID} in it, without credentials and fragment`)
    .optional()
    .describe("URL of a file id; needed for SOURCE_KIND=http"),
  httpSourceAllowHttp: envBoolean().default(false).describe("also http, not only https"),
  httpSourceAllowPrivate: envBoolean()
    .default(false)
    .describe("also private, loopback and link-local addresses: only for a template and redirects that you trust"),
  httpSourceMaxPerHost: envInt({ min: 1, max: 1000 }).default(8).describe("requests to one host at a time"),
  sourceMinBytesPerSecond: envInt({ min: 0, max: 1e9 })
    .default(1024)
    .describe("a source that is slower over FILE_IDLE_TIMEOUT_MS is given up"),
};
