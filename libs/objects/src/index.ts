export { contentDisposition } from "./content-disposition.ts";
export { createObjects, type ObjectsConfig } from "./create-objects.ts";
export type {
  Bucket,
  CopiedPart,
  ListedObject,
  ListedUpload,
  ObjectHead,
  ObjectRange,
  Objects,
  Payloads,
  PresignOptions,
  PutOptions,
  SignedUrl,
  UploadsPage,
} from "./objects.ts";
export { ObjectsError, type ObjectsErrorCode } from "./objects-error.ts";
export { decodePayload, encodePayload, type PayloadOwner } from "./payload-bytes.ts";
