import {
  attemptsConfig,
  breakerConfig,
  expiryConfig,
  housekeepingConfig,
  httpConfig,
  jobLimitsConfig,
  liveConfig,
  mongodbConfig,
  natsConfig,
  projectorConfig,
  retentionConfig,
  s3Config,
  serviceConfig,
  sourceConfig,
  streamConfig,
  workerConfig,
} from "@longhaul/runtime";
import { z } from "zod";
import { gatewayConfig } from "../services/gateway/src/config.ts";
import { notifierConfig } from "../services/notifier/src/config.ts";
import { processorConfig } from "../services/processor/src/config.ts";
import { type Chapter, configurationMarkdown, environmentExample, type Program } from "./configuration-reference.ts";

/** Read by the local stack and the tests themselves, which have no schema: what they do not know they pass on. */
const localVariables = z.object({
  natsSyncInterval: z.string().default("1s").describe("how often a local NATS syncs its files; always = each write"),
  longhaulCacheDir: z
    .string()
    .default("~/.cache/longhaul")
    .describe("where servers are kept that were downloaded or built; follows XDG_CACHE_HOME"),
});
const testVariables = z.object({
  testScale: z.string().default("short").describe("full = the long form of the tests that have one"),
  testSeed: z
    .string()
    .default("13")
    .describe("of the test that presses random commands; it says its seed when it fails"),
});

const PROGRAMS: Program[] = [
  { name: "gateway", schema: gatewayConfig },
  { name: "processor", schema: processorConfig },
  { name: "notifier", schema: notifierConfig },
  { name: "migrate", schema: z.object({ ...natsConfig, ...streamConfig, ...mongodbConfig }) },
  { name: "local stack", schema: localVariables },
  { name: "tests", schema: testVariables },
];

const CHAPTERS: Chapter[] = [
  chapter("NATS", { ...natsConfig, ...streamConfig }),
  chapter("MongoDB", mongodbConfig),
  chapter("S3", s3Config),
  chapter("Sources", sourceConfig),
  chapter("Every service", serviceConfig({ shutdownGraceMs: 0 })),
  chapter("HTTP", httpConfig),
  chapter("Live connections", liveConfig),
  chapter("Size of a job", jobLimitsConfig),
  chapter("Tries", attemptsConfig),
  chapter("Circuit breakers", breakerConfig),
  chapter("Keeping", { ...retentionConfig, ...expiryConfig }),
  chapter("Work", workerConfig),
  chapter("Housekeeping", housekeepingConfig),
  chapter("Views", projectorConfig),
];

/** Every generated file with what should be in it, by its path in the repository. */
export function generatedFiles(): { path: string; content: string }[] {
  const chapters = readByAny([...CHAPTERS, ...ownChapters()]);
  return [
    { path: "docs/configuration.md", content: configurationMarkdown(chapters, PROGRAMS) },
    { path: ".env.example", content: environmentExample(chapters, PROGRAMS) },
  ];
}

function chapter(title: string, shape: z.ZodRawShape): Chapter {
  return { title, keys: Object.keys(shape) };
}

/** Settings of one program that no shared shape has. */
function ownChapters(): Chapter[] {
  const shared = new Set(CHAPTERS.flatMap(({ keys }) => keys));
  return PROGRAMS.map(({ name, schema }) => {
    return { title: `Only the ${name}`, keys: Object.keys(schema.shape).filter((key) => !shared.has(key)) };
  });
}

function readByAny(chapters: Chapter[]): Chapter[] {
  return chapters
    .map(({ title, keys }) => ({
      title,
      keys: keys.filter((key) => PROGRAMS.some(({ schema }) => key in schema.shape)),
    }))
    .filter(({ keys }) => keys.length > 0);
}
