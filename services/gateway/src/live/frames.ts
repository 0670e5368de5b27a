import type { ServerFrame } from "@longhaul/contracts";
import { compareVersions, type Version } from "@longhaul/job";
import type { Shown } from "./shown.ts";

/** What a client has been told. `shown` is null when it brought its version along (`since`). */
export type Told = { version: Version; shown: Shown | null; stale: boolean };

/**
 * The frame that brings a client up to date: the whole job, or only its progress when nothing else differs. null = it
 * knows all there is.
 */
export function dataFrame(told: Told | null, shown: Shown, stale: boolean): ServerFrame | null {
  if (told === null) return jobFrame(shown, stale);
  const order = compareVersions(shown.version, told.version);
  // It heard more elsewhere: an older state may not even tell it that the state is stale.
  if (order < 0) return null;
  if (told.stale !== stale) return jobFrame(shown, stale);
  if (order === 0) return null;
  const onlyProgress = told.shown === null ? told.version.seq === shown.version.seq : told.shown.rest === shown.rest;
  return onlyProgress ? { type: "progress", version: shown.label, progress: shown.progress } : jobFrame(shown, stale);
}

/** A change of status goes out at once, whatever the pace. */
export function isUrgent(told: Told | null, shown: Shown, stale: boolean): boolean {
  return told?.shown?.record.status !== shown.record.status || told.stale !== stale;
}

function jobFrame(shown: Shown, stale: boolean): ServerFrame {
  return { type: "job", version: shown.label, final: false, job: stale ? shown.staleJob : shown.job };
}

/** The last frame of a job's stream. */
export function finalFrame(shown: Shown): ServerFrame {
  return { type: "job", version: shown.label, final: true, job: shown.job };
}
