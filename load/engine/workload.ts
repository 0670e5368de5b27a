/** No-op jobs of one round. */
export const NO_OP_JOBS = 20_000;
/** What they are asked for. No file is looked for, but the record must name one. */
export const NO_OP = { fileIds: [10_000], spec: { sourceKind: "none", archive: "auto" } } as const;
/** What their rate is compared with. */
export const BULLMQ = "BullMQ no-op worker";

/** The files of the archive, 256 MiB together, as samples of the local stack. */
export const SAMPLES = { firstId: 900_000, files: 16, sizeBytes: 16 * 1024 ** 2 };
export const SAMPLE_IDS = Array.from({ length: SAMPLES.files }, (_, i) => SAMPLES.firstId + i);
export const SAMPLES_MB = (SAMPLES.files * SAMPLES.sizeBytes) / 1e6;
/** What the archive's rate is compared with. */
export const RAW_COPY = "raw copy of the same bytes";
