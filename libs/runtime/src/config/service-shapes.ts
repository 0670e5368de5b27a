import { isIP } from "node:net";
import { LOG_LEVELS } from "../logger.ts";
import { envChoice, envInt, envList, envString, envUrl } from "./fields.ts";

const port = () => envInt({ min: 0, max: 65_535 });

/** What every service has. */
export const serviceConfig = ({ shutdownGraceMs }: { shutdownGraceMs: number }) => ({
  metricsHost: envString().default("127.0.0.1").describe("address of health and metrics"),
  metricsPort: port().default(9464).describe("port of health and metrics; 0 = a free one"),
  logLevel: envChoice(LOG_LEVELS).default("info").describe("lowest level that is logged"),
  shutdownGraceMs: envInt({ min: 100, max: 600_000 })
    .default(shutdownGraceMs)
    .describe("time for an orderly end after the first signal"),
});

/** An address or a block of addresses: `10.0.0.0/8`. */
function isBlock(value: string): boolean {
  const [address = "", bits, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** The public HTTP side. */
export const httpConfig = {
  host: envString().default("127.0.0.1").describe("address to listen on"),
  port: port().default(8080).describe("port to listen on; 0 = a free one"),
  publicUrl: envUrl().optional().describe("begin of absolute URLs; unset = from the request's Host"),
  trustProxy: envList()
    .refine((blocks) => blocks.every(isBlock), "must be a comma list of addresses or CIDR blocks")
    .optional()
    .describe("proxies whose X-Forwarded-* headers count"),
  allowedOrigins: envList().default(["http://localhost:3000"]).describe("origins that browsers may call from"),
  bodyLimitBytes: envInt({ min: 1024, max: 64 * 1024 ** 2 })
    .default(262_144)
    .describe("largest request body"),
  requestTimeoutMs: envInt({ min: 100, max: 600_000 }).default(30_000).describe("then a request is answered with 504"),
  // Anything but `off` must stop the service rather than be ignored: it would run without any protection.
  authMode: envChoice(["off"]).default("off").describe("who is asking is taken from x-user-id"),
  idSecret: envString().min(16, "must have at least 16 characters").describe("makes job ids of idempotency keys"),
  resultUrlTtlSeconds: envInt({ min: 1, max: 604_800 }).default(900).describe("how long a signed URL is good"),
};

/** Sockets, and the watch of jobs that feeds them. */
export const liveConfig = {
  streamKeepaliveMs: envInt({ min: 100, max: 600_000 })
    .default(15_000)
    .describe("ping on a silent stream; a slow one may take as long to take what it was sent"),
  streamBufferBytes: envInt({ min: 1024, max: 64 * 1024 ** 2 })
    .default(262_144)
    .describe("unsent bytes from which a slow stream gets the latest state only"),
  watchIdleMs: envInt({ min: 100, max: 3_600_000 }).default(30_000).describe("a job nobody looks at is forgotten"),
  watchRecheckMs: envInt({ min: 50, max: 600_000 }).default(2000).describe("a job that heard nothing is read again"),
};

/** Jobs of each class that one processor runs at a time, and how often it says how far they are. */
export const workerConfig = {
  slotsHigh: envInt({ min: 0, max: 10_000 }).default(5).describe("slots for jobs of class high"),
  slotsNormal: envInt({ min: 0, max: 10_000 }).default(20).describe("slots for jobs of class normal"),
  slotsBatch: envInt({ min: 0, max: 10_000 }).default(50).describe("slots for jobs of class batch"),
  progressIntervalMs: envInt({ min: 10, max: 60_000 })
    .default(250)
    .describe("shortest time between two progress messages"),
};

/** Making archives. */
export const archiveConfig = {
  fileTries: envInt({ min: 1, max: 100 }).default(3).describe("tries of one file inside a try of its job"),
  jobIdleTimeoutMs: envInt({ min: 100, max: 24 * 3_600_000 })
    .default(130_000)
    .describe("a job of which nothing moves for so long is tried again; waits for its turn do not count"),
  fileIdleTimeoutMs: envInt({ min: 100, max: 3_600_000 })
    .default(60_000)
    .describe("a file of which nothing comes for so long is tried again"),
  checkpointIntervalMs: envInt({ min: 100, max: 3_600_000 })
    .default(5_000)
    .describe("longest time until what was sent of an archive is safe from a crash"),
  checkpointBytes: envInt({ min: 1024 ** 2, max: 64 * 1024 ** 3 })
    .default(67_108_864)
    .describe("the same in bytes: whichever comes first"),
  uploadConcurrency: envInt({ min: 1, max: 64 }).default(2).describe("parts of one archive sent at a time"),
  partBufferBytes: envInt({ min: 32 * 1024 ** 2, max: 64 * 1024 ** 3 })
    .default(268_435_456)
    .describe("memory of all archives of a process for their parts: high 25 %, normal 50 %, batch 25 %"),
};

/** Letting the store copy parts of large files by itself. */
export const zeroCopyConfig = {
  zeroCopy: envChoice(["auto", "off"])
    .default("auto")
    .describe("auto = large files of an S3 source at the same endpoint are copied inside the store, where it can"),
  zeroCopyMinBytes: envInt({ min: 5 * 1024 ** 2 + 1, max: 5 * 1024 ** 4 })
    .default(67_108_864)
    .describe("files from this size on; S3 copies no part of an object of 5 MiB or less"),
};

/** What a processor does beside running jobs: making lost work items again, and deleting what no job names. */
export const housekeepingConfig = {
  requeueIntervalMs: envInt({ min: 100, max: 3_600_000 })
    .default(30_000)
    .describe("how often lost work items are made again"),
  orphanIntervalMs: envInt({ min: 100, max: 24 * 3_600_000 })
    .default(600_000)
    .describe("how often storage is searched for what no job names"),
  orphanAgeSeconds: envInt({ min: 1, max: 30 * 86_400 })
    .default(86_400)
    .describe(
      "what is younger is left alone by that search; keep it above some minutes, for what is stored just before a job names it",
    ),
};

/** Writing the views. */
export const projectorConfig = {
  projectorBatch: envInt({ min: 1, max: 10_000 }).default(500).describe("messages projected at a time"),
  projectorPauseMs: envInt({ min: 0, max: 60_000 }).default(400).describe("rest after a full batch"),
  progressWriteIntervalMs: envInt({ min: 10, max: 600_000 })
    .default(1000)
    .describe("shortest time between two writes of one job's progress to its view"),
};
