import { inParallel } from "@longhaul/runtime";
import { openBuckets } from "../stack/bucket.ts";
import { type S3Access, s3Variables } from "../stack/environment.ts";
import { seededStream } from "./seeded-bytes.ts";

/** Ids of samples begin here unless told otherwise. */
export const FIRST_SAMPLE_ID = 70_000;

const AT_A_TIME = 8;

export type Samples = {
  firstId: number;
  /** How many; their ids follow one another. */
  files: number;
  /** Size of each. */
  sizeBytes: number;
};

/** The key at which services look for a file, unless SOURCE_KEY_TEMPLATE says otherwise. */
function sampleKey(fileId: number): string {
  return `downloads/${fileId}.zip`;
}

/** Puts sample files into a storage; a file that is there already is written again. `onFile` is told after each. */
export async function putSamples(
  s3: S3Access,
  samples: Samples,
  onFile: (done: number) => void = () => {},
): Promise<void> {
  const objects = openBuckets(s3Variables(s3));
  const { firstId, files, sizeBytes } = samples;
  const about = { sizeBytes, contentType: "application/zip" };
  let done = 0;
  try {
    await inParallel(Array(files).keys(), AT_A_TIME, async (index) => {
      const fileId = firstId + index;
      await objects.source.put(sampleKey(fileId), seededStream(fileId, sizeBytes), about);
      onFile(++done);
    });
  } finally {
    objects.close();
  }
}
