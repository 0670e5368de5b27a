import { envBoolean, envChoice, envInt, envList, envString, envUrl } from "./fields.ts";

const GiB = 1024 ** 3;

/** NATS and what every user of the streams has to agree on. */
export const natsConfig = {
  natsUrl: envList().describe("NATS servers, nats:// or tls:// URLs, comma list"),
  natsCredsFile: envString().optional().describe("file with NATS credentials"),
  natsCaFile: envString().optional().describe("file with the CA certificates of the NATS servers"),
  jobsMaxBytes: envInt({ min: 1024 ** 2, max: 1024 * GiB })
    .default(GiB)
    .describe("bytes that the stream JOBS may hold; the server reserves them, keep it below its max_file_store"),
  ackWaitMs: envInt({ min: 1000, max: 600_000 })
    .default(30_000)
    .describe("how long a silent processor keeps a work item before another gets it"),
  busTimeoutMs: envInt({ min: 100, max: 60_000 }).default(5000).describe("one call to NATS, with all its tries"),
};

/** What the migration decides about the streams, beside `natsConfig`. */
export const streamConfig = {
  natsStreamReplicas: envString()
    .pipe(envChoice(["1", "3", "5"]))
    .transform(Number)
    .default(1)
    .describe("copies of each stream in a NATS cluster"),
};

export const mongodbConfig = {
  mongodbUrl: envUrl(["mongodb", "mongodb+srv"]).describe("MongoDB connection string"),
  mongodbViewsDatabase: envString().default("longhaul_views").describe("database of the views, which can be rebuilt"),
  mongodbRecordsDatabase: envString().default("longhaul_records").describe("database of what cannot be rebuilt"),
  mongodbTimeoutMs: envInt({ min: 100, max: 120_000 }).default(10_000).describe("one call to MongoDB, with its tries"),
  mongodbMaxPoolSize: envInt({ min: 1, max: 1000 }).default(20).describe("connections to MongoDB per process"),
};

/** The bucket that results are written to, and the way to it. Defaults that follow another value: see `libs/objects`. */
export const s3Config = {
  s3Endpoint: envUrl().optional().describe("S3 endpoint; unset = AWS"),
  s3PublicEndpoint: envUrl().optional().describe("host inside signed URLs; unset = S3_ENDPOINT"),
  s3Region: envString().default("us-east-1").describe("region of the bucket"),
  s3Bucket: envString().default("longhaul").describe("bucket of the results"),
  s3ForcePathStyle: envBoolean()
    .optional()
    .describe("bucket in the path instead of the host name; unset = true if S3_ENDPOINT is set"),
  s3AccessKeyId: envString().optional().describe("unset = the AWS SDK's own chain of credentials"),
  s3SecretAccessKey: envString().optional().describe("belongs to S3_ACCESS_KEY_ID"),
  s3Sse: envChoice(["none", "AES256", "aws:kms"]).default("none").describe("server-side encryption of what we write"),
  s3SseKmsKeyId: envString().optional().describe("key for S3_SSE=aws:kms; unset = the bucket's"),
  s3CallTimeoutMs: envInt({ min: 100, max: 600_000 }).default(30_000).describe("one call to S3, with all its tries"),
};
