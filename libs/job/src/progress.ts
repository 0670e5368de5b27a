import type { Phase, Progress } from "@longhaul/contracts";

/** Progress of a job that has done nothing yet. */
export function noProgress(filesTotal: number, bytesTotal: number | null): Progress {
  return {
    filesTotal,
    filesDone: 0,
    filesFailed: 0,
    bytesTotal,
    bytesDone: 0,
    bytesPerSecond: null,
    etaSeconds: null,
    currentFileId: null,
    phase: "waiting",
  };
}

/** The same progress while no byte moves: what only a moving job has (speed, time left, current file) is gone. */
export function atRest(progress: Progress, phase: Phase): Progress {
  return { ...progress, bytesPerSecond: null, etaSeconds: null, currentFileId: null, phase };
}
