import { S3Client } from "@aws-sdk/client-s3";
import { BootError } from "@longhaul/runtime";
import { endLongWaits } from "./long-waits.ts";

/** Where a store is, and who we are there. */
export type StoreAddress = {
  /** Undefined = AWS. */
  endpoint: string | undefined;
  /** The host inside signed URLs; undefined = the endpoint's. */
  publicEndpoint: string | undefined;
  region: string;
  forcePathStyle: boolean;
  accessKeyId: string | undefined;
  secretAccessKey: string | undefined;
};

export type StoreClient = {
  /** For calls. */
  s3: S3Client;
  /** For calls on whose sockets nothing may move for minutes: the store works, or the reader has no room. */
  patient: S3Client;
  /** For signing only: its endpoint is the one that the public knows. */
  signer: S3Client;
  close(): void;
};

/** 75 slots, each with two sources open or two parts on their way, and room for lookups. */
const MAX_SOCKETS = 256;
const CONNECT_TIMEOUT_MS = 3000;
const NO_TIMEOUT = 0;
/** Tries of one call in all; the SDK waits between them with jitter, and they share the call's time-out. */
const MAX_TRIES = 3;

/** Whatever goes wrong is in the error that a call rejects with; the SDK would write it to the console as well. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** @throws BootError `CONFIG_INVALID` when only half of the credentials is given */
export function createClient(address: StoreAddress, { s3CallTimeoutMs }: { s3CallTimeoutMs: number }): StoreClient {
  const { accessKeyId, secretAccessKey } = address;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new BootError(
      "Of the two halves of the S3 credentials only one is set. Set both S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY " +
        "(or both SOURCE_S3_…), or none of them to use the AWS SDK's own chain.",
      { code: "CONFIG_INVALID" },
    );
  }
  const shared = {
    region: address.region,
    forcePathStyle: address.forcePathStyle,
    maxAttempts: MAX_TRIES,
    logger: SILENT,
    // Many S3-compatible stores reject the SDK's default trailing checksums.
    requestChecksumCalculation: "WHEN_REQUIRED" as const,
    responseChecksumValidation: "WHEN_REQUIRED" as const,
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
  };
  const connect = (socketTimeout: number) =>
    new S3Client({
      ...shared,
      ...(address.endpoint ? { endpoint: address.endpoint } : {}),
      requestHandler: {
        connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, s3CallTimeoutMs),
        socketTimeout,
        httpAgent: { maxSockets: MAX_SOCKETS, keepAlive: true },
        httpsAgent: { maxSockets: MAX_SOCKETS, keepAlive: true },
      },
    });
  // A socket on which nothing moves for a whole call is dead, also under a large body that may take longer.
  const s3 = connect(s3CallTimeoutMs);
  const patient = connect(NO_TIMEOUT);
  for (const client of [s3, patient]) endLongWaits(client);
  const endpoint = address.publicEndpoint;
  const signer = endpoint === address.endpoint ? s3 : new S3Client({ ...shared, ...(endpoint ? { endpoint } : {}) });
  return {
    s3,
    patient,
    signer,
    close() {
      s3.destroy();
      patient.destroy();
      signer.destroy();
    },
  };
}
