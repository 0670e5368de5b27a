export { type Asked, bodyHash } from "./body-hash.ts";
export { type Change, type Occasion, stamp, wroteIt } from "./change.ts";
export {
  allowedCommands,
  type Command,
  type CommandRules,
  type CommandType,
  type ControlCommand,
  type Decision,
  decide,
} from "./commands.ts";
export { isDeadLetter, isRedrivable } from "./dead-letter.ts";
export { type DeliveryFacts, type DeliveryVerdict, type ItemInHand, onDelivery, onFenced } from "./delivery.ts";
export { type EndStatus, isEnded, isLive, isOver, isUnfinished } from "./end.ts";
export { errorText, isPermanent, jobError, type PublicClass, publicClass } from "./failure.ts";
export { denyNoFile, type FileAuthorisation } from "./file-authorisation.ts";
export { fitsInRecord, type InlineMaxBytes } from "./inline.ts";
export { INVISIBLE } from "./invisible.ts";
export { type NewJob, newJob } from "./job.ts";
export { chooseLane, LANE_REFILL_MS, type LaneBucket } from "./lane.ts";
export { type Found, type Leftovers, leftovers } from "./leftovers.ts";
export type { Standing } from "./named.ts";
export { jobOfKey, OWN_FOLDERS, ownPrefixes, payloadKey, resultKey } from "./own-keys.ts";
export { type PresentOptions, present, presentProgress } from "./present.ts";

export { safeResultName } from "./result-name.ts";
export {
  dueAt,
  forgottenAt,
  keptSeconds,
  LAST_ENDS,
  lifetimeSeconds,
  type RetentionPolicy,
} from "./retention.ts";

export {
  type CheckpointState,
  type Claim,
  type Completed,
  checkpointed,
  claim,
  completed,
  deadLettered,
  type Failed,
  failed,
  handedBack,
  type Retrying,
  retrying,
  takeOver,
} from "./run.ts";
export { type Away, type Settlement, type SettlePolicy, settle, type TryError } from "./settle.ts";
export { shownStatus } from "./shown-status.ts";
export { addUsage } from "./usage.ts";
export { userHash } from "./user-hash.ts";
export { compareVersions, formatVersion, parseVersion, type Version } from "./version.ts";
