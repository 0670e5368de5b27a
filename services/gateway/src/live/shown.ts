import type { ApiJob, ApiProgress, JobRecord } from "@longhaul/contracts";
import { formatVersion, isEnded, type PresentOptions, present, type Version } from "@longhaul/job";

export type ShowOptions = Omit<PresentOptions, "stale">;

/** One state of one job, as everybody who looks at it is shown it: rendered once, however many look. */
export class Shown {
  readonly version: Version;
  /** With the newest progress in it. */
  readonly record: JobRecord;
  readonly label: string;
  /** Weak: two answers of one version may differ in bytes, not in meaning. */
  readonly etag: string;
  readonly ended: boolean;
  readonly #options: ShowOptions;
  #job: ApiJob | undefined;
  #body: string | undefined;
  #rest: string | undefined;

  constructor(version: Version, record: JobRecord, options: ShowOptions) {
    this.version = version;
    this.record = record;
    this.label = formatVersion(version);
    this.etag = `W/"${this.label}"`;
    this.ended = isEnded(record.status);
    this.#options = options;
  }

  get job(): ApiJob {
    this.#job ??= present(this.record, this.version, this.#options);
    return this.#job;
  }

  get progress(): ApiProgress {
    return this.job.progress;
  }

  /** The job as JSON. */
  get body(): string {
    this.#body ??= JSON.stringify(this.job);
    return this.#body;
  }

  /** The job as it is shown while whoever would know better is away. */
  get staleJob(): ApiJob {
    return { ...this.job, stale: true };
  }

  /** All that is shown but progress: two states with the same rest differ by progress alone. */
  get rest(): string {
    this.#rest ??= JSON.stringify({ ...this.job, progress: null, updatedAt: null, version: null });
    return this.#rest;
  }
}
