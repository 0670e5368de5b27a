import type { JobErrorCode, Stage } from "@longhaul/contracts";
import { Breaker, type BreakerSettings, type CallVerdict } from "@longhaul/runtime";
import { JobFailure } from "../job/job-failure.ts";
import { HostBusy } from "./http-source.ts";
import type { PlannedFile, Source } from "./source.ts";

const FAILURES: readonly JobErrorCode[] = ["SOURCE_UNAVAILABLE", "SOURCE_TIMEOUT", "SOURCE_RATE_LIMITED"];

/** What the error of a call says about its host; that we have too many requests for it ourselves says nothing. */
function judgeSource(error: unknown): CallVerdict {
  if (!(error instanceof JobFailure) || error.cause instanceof HostBusy) return "nothing";
  return FAILURES.includes(error.code) ? "failure" : "answer";
}

/**
 * The breaker of the host of a source. While it is open the source's calls fail at once, and jobs wait for it without
 * using up a try. It is probed with the file that was asked for last.
 */
export class SourceGuard {
  readonly breaker: Breaker;
  #lastFileId = 0;

  constructor(
    name: string,
    probed: Source,
    { probeTimeoutMs, ...settings }: BreakerSettings & { probeTimeoutMs: number },
  ) {
    const probe = () => probed.find(this.#lastFileId, AbortSignal.timeout(probeTimeoutMs));
    this.breaker = new Breaker({ name, settings, judge: judgeSource, probe });
  }

  /** The source, with its calls under the breaker. */
  around(source: Source): Source {
    const { breaker } = this;
    const asked = (fileId: number) => {
      this.#lastFileId = fileId;
    };
    return {
      async find(fileId, signal) {
        asked(fileId);
        try {
          return await breaker.run(() => source.find(fileId, signal));
        } catch (error) {
          throw waitingFor(breaker, error, "plan", fileId);
        }
      },
      async *open(file: PlannedFile, offset: number, signal: AbortSignal) {
        asked(file.fileId);
        try {
          yield* breaker.stream(() => source.open(file, offset, signal));
        } catch (error) {
          throw waitingFor(breaker, error, "read-source", file.fileId);
        }
      },
    };
  }
}

/** What the job of a call is told: where it has to wait for the host, that. */
function waitingFor(breaker: Breaker, error: unknown, stage: Stage, fileId: number): unknown {
  const failure = error instanceof JobFailure ? error : null;
  const retryAfterMs = breaker.waitMs(error, failure?.retryAfterMs);
  if (retryAfterMs === null) return error;
  const code = failure?.code ?? "SOURCE_UNAVAILABLE";
  return new JobFailure({ stage, code, fileId, retryAfterMs, waitsFor: "source" }, { cause: error });
}
