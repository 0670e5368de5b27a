/** Whoever asks for files, as the gateway knows them. */
export type Requester = { tenant: string; user: string; tier: string };

/**
 * Which of these files may not be had by the one who asks: their ids. Asked when a job is created, where one denied file
 * refuses it, and again when a processor plans it, where a denied file is missing from the result. It must end by itself
 * or with the signal; an error is one of ours, and is tried again.
 */
export type FileAuthorisation = (
  who: Requester,
  fileIds: readonly number[],
  signal: AbortSignal,
) => Promise<readonly number[]>;

/** Everybody may have every file. */
export const denyNoFile: FileAuthorisation = async () => [];
