import type { JobRecord, SourceKind } from "@longhaul/contracts";
import type { FileAuthorisation } from "@longhaul/job";
import type { Bucket } from "@longhaul/objects";
import {
  BootError,
  type Breaker,
  type BreakerSettings,
  type Clock,
  GuardedHttp,
  isPublicAddress,
  type Settings,
  type sourceConfig,
} from "@longhaul/runtime";
import { JobFailure } from "../job/job-failure.ts";
import type { WorkContext } from "../job/run.ts";
import { authorised } from "./authorised-source.ts";
import { HostSlots } from "./host-slots.ts";
import { HttpSource } from "./http-source.ts";
import type { ReadLimits } from "./read-limits.ts";
import { createS3Source, objectKey } from "./s3-source.ts";
import type { ObjectSource, PlannedFile, Source } from "./source.ts";
import { SourceGuard } from "./source-guard.ts";
import { createSyntheticSource } from "./synthetic-source.ts";

/** The source of a job, for its run. */
export type SourceOf<S extends Source = Source> = (record: JobRecord, run: Pick<WorkContext, "waiting">) => S;

export type SourcesOptions = {
  config: Settings<typeof sourceConfig> & ReadLimits & BreakerSettings;
  buckets: Record<"results" | "source", Bucket>;
  deniedFiles: FileAuthorisation;
  clock: Clock;
};

/** All sources of a process; which one a job has was decided when it was created. */
export type Sources = {
  of: SourceOf;
  /** For jobs whose result is the source object itself. */
  objectsOf: SourceOf<ObjectSource>;
  /** Where the object of a file lies. */
  locate(file: PlannedFile): { bucket: string; key: string };
  /** Of the host of web files; null where there is none. That of the objects is their bucket's. */
  webBreaker: Breaker | null;
  close(): void;
};

/** Opens every source that is configured. Nothing is sent before the first call. @throws BootError without a template */
export function createSources({ config, buckets, deniedFiles, clock }: SourcesOptions): Sources {
  const { results, source } = buckets;
  const store = source.breaker === results.breaker ? "storage" : "source";
  const objects = createS3Source(source, { ...config, store });
  const synthetic = createSyntheticSource({ ...config, clock });
  const web = createWeb(config);
  const kinds: Record<SourceKind, SourceOf | null> = {
    s3: () => objects,
    synthetic: () => synthetic,
    http: web?.of ?? null,
    none: null,
  };
  return {
    of(record, run) {
      const { sourceKind } = record.spec;
      const kind = kinds[sourceKind];
      if (kind === null) throw notConfigured(sourceKind);
      return authorised(kind(record, run), record, deniedFiles);
    },
    locate: ({ fileId }) => ({ bucket: source.name, key: objectKey(config.sourceKeyTemplate, fileId) }),
    objectsOf: (record) => authorised(objects, record, deniedFiles),
    webBreaker: web?.breaker ?? null,
    close: () => web?.close(),
  };
}

/** Web servers, where there is a template to find them by. Users wait for each other, jobs of one user among themselves. */
function createWeb(config: SourcesOptions["config"]) {
  const { sourceKind, httpSourceTemplate: template, httpSourceMaxPerHost: perHost } = config;
  if (template === undefined && sourceKind === "http") throw templateMissing();
  if (template === undefined) return null;
  const allows = config.httpSourceAllowPrivate ? () => true : isPublicAddress;
  const http = new GuardedHttp({ allowHttp: config.httpSourceAllowHttp, allows, keptPerHost: perHost });
  const options = { ...config, template, http, slots: new HostSlots(perHost) };
  const prober = new HttpSource(options, { owner: "", waiting: (wait) => wait });
  const guard = new SourceGuard("source_http", prober, { ...config, probeTimeoutMs: config.fileIdleTimeoutMs });
  return {
    of: ({ tenant, user }: JobRecord, { waiting }: Pick<WorkContext, "waiting">) =>
      guard.around(new HttpSource(options, { owner: `${tenant}\0${user}`, waiting })),
    breaker: guard.breaker,
    close() {
      guard.breaker.close();
      http.close();
    },
  };
}

function templateMissing(): BootError {
  const message =
    "SOURCE_KIND is http, but nothing says where its files are. Set HTTP_SOURCE_TEMPLATE to a URL with {file_id}.";
  return new BootError(message, { code: "CONFIG_INVALID" });
}

/** Tried again: during a roll-out another process may have what this one lacks. */
function notConfigured(kind: SourceKind): JobFailure {
  const cause = new Error(`this processor has no source of kind ${kind}; set HTTP_SOURCE_TEMPLATE for http`);
  return new JobFailure({ stage: "plan", code: "SOURCE_UNAVAILABLE" }, { cause });
}
