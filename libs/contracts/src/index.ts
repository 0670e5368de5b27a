export { type ContentLink, contentLink } from "./api/content.ts";
export { type CreateDownload, type CreateLimits, createDownloadBody } from "./api/create-download.ts";
export {
  type DeadJob,
  type DeadJobDetail,
  type DeadLetterList,
  type DeadLetterListQuery,
  type DeadMessage,
  type DeadMessageDetail,
  deadLetterDetail,
  deadLetterList,
  deadLetterQuery,
  operatorsReason,
  type RedrivenMessage,
  redrivenMessage,
  UNREADABLE,
} from "./api/dead-letter.ts";
export { type ApiJob, type ApiProgress, apiJob, SHOWN_STATUSES, type ShownStatus } from "./api/job.ts";
export { type ClientFrame, clientFrame, type ServerFrame, serverFrame, WS_CLOSE, WS_PROTOCOL } from "./api/live.ts";
export {
  type OperationBody,
  type OperationDryRun,
  type OperationState,
  operationAccepted,
  operationBody,
  operationDryRun,
  operationState,
} from "./api/operation.ts";
export { type FieldError, PROBLEMS, type Problem, type ProblemCode, problem } from "./api/problem.ts";
export { JOB_ERROR_CODES, type JobErrorCode, type Stage } from "./error-codes.ts";
export { type EventType, type JobEvent, jobEvent } from "./job-event.ts";
export {
  type Checkpoint,
  type ErasedRecord,
  JOB_STATUSES,
  type JobError,
  type JobRecord,
  type JobResult,
  type JobStatus,
  type Outcomes,
  type PayloadKind,
  type Plan,
  type PlanEntry,
  payloadContent,
  RECORD_MAX_BYTES,
  type Run,
  type StoredRecord,
  storedRecord,
  TIMELINE_MAX,
  type TimelineEntry,
  type UploadedPart,
  type Usage,
} from "./job-record.ts";
export {
  type ArchiveMode,
  JOB_CLASSES,
  type JobClass,
  type JobSpec,
  LANES,
  type Lane,
  type SourceKind,
} from "./job-spec.ts";
export { type Phase, type Progress, type ProgressMessage, progress, progressMessage } from "./progress.ts";
export { fileId, type PayloadRef } from "./schema.ts";
export {
  DEAD_LETTER_SUBJECTS,
  JOB_SUBJECTS,
  jobSubject,
  jobWorkSubjects,
  laneConsumer,
  laneSubjects,
  PROGRESS_SUBJECTS,
  parseWorkSubject,
  progressSubject,
  pushSubject,
  STORED_SUBJECTS,
  STREAMS,
  storedSubject,
  subjectJobId,
  WORK_SUBJECTS,
  type WorkAddress,
  workSubject,
} from "./subjects.ts";
export { fileTypeOf, LOG_FIELDS, METRICS } from "./telemetry-names.ts";
export { type WorkItem, workItem } from "./work-item.ts";
