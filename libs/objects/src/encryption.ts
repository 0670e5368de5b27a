import type { Settings, s3Config } from "@longhaul/runtime";

export type EncryptionSettings = Pick<Settings<typeof s3Config>, "s3Sse" | "s3SseKmsKeyId">;

/** The fields of a write that ask for server-side encryption. */
export function encryption({ s3Sse, s3SseKmsKeyId }: EncryptionSettings) {
  return {
    ...(s3Sse === "none" ? {} : { ServerSideEncryption: s3Sse }),
    ...(s3Sse === "aws:kms" && s3SseKmsKeyId ? { SSEKMSKeyId: s3SseKmsKeyId } : {}),
  };
}
