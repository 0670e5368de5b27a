import { JOB_CLASSES, type JobClass, LANES, type Lane } from "./job-spec.ts";

/** JetStream streams. */
export const STREAMS = { jobs: "JOBS", work: "WORK", deadLetters: "DEADLETTERS" } as const;

export const JOB_SUBJECTS = "download.job.*";
export const STORED_SUBJECTS = "download.rt.*";
export const WORK_SUBJECTS = "download.requested.>";
export const PROGRESS_SUBJECTS = "download.progress.*";
export const DEAD_LETTER_SUBJECTS = "download.deadletter.*";

/** The one message that is the job. */
export const jobSubject = (id: string) => `download.job.${id}`;
/** Core subject on which JetStream republishes each stored write of the job. */
export const storedSubject = (id: string) => `download.rt.${id}`;
/** Progress from the processor that runs the job. */
export const progressSubject = (id: string) => `download.progress.${id}`;
/** From a notifier to the gateways that watch the job (`*` as user hash) or the user (`>` as id). */
export const pushSubject = (userHash: string, id: string) => `download.push.${userHash}.${id}`;

export type WorkAddress = { class: JobClass; lane: Lane; id: string; generation: number };

export const workSubject = (a: WorkAddress) => `download.requested.${a.class}.${a.lane}.${a.id}.${a.generation}`;
/** Every item of one job. */
export const jobWorkSubjects = (id: string) => `download.requested.*.*.${id}.*`;
/** Everything of one lane. */
export const laneSubjects = (jobClass: JobClass, lane: Lane) => `download.requested.${jobClass}.${lane}.>`;
/** The durable consumer of one lane. */
export const laneConsumer = (jobClass: JobClass, lane: Lane) => `${jobClass}-${lane}`;

/** The job that a stored, progress, job or push subject speaks of: its last token. */
export const subjectJobId = (subject: string) => subject.slice(subject.lastIndexOf(".") + 1);

/** Reads a `WORK` subject; null when it is not one. */
export function parseWorkSubject(subject: string): WorkAddress | null {
  const [root, kind, jobClass, lane, id, generation, ...rest] = subject.split(".");
  const knownClass = JOB_CLASSES.find((c) => c === jobClass);
  const knownLane = LANES.find((l) => l === lane);
  if (root !== "download" || kind !== "requested" || !knownClass || !knownLane || !id || rest.length > 0) return null;
  const number = Number(generation);
  return Number.isSafeInteger(number) && number >= 1
    ? { class: knownClass, lane: knownLane, id, generation: number }
    : null;
}
