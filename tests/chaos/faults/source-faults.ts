import { putSamples } from "../../../deploy/local/src/samples/put-samples.ts";
import { MOVING } from "../asks.ts";
import type { Fault } from "./fault.ts";

const AIM_MS = 6_000;
const SPREAD_BYTES = 500_000;

/** The files of a job that is just being read become others. Its archive may hold the old or the new ones, whole. */
export const SOURCE_CHANGE: Fault = {
  name: "a source that changes in mid-job",
  async strike({ chaos, ledger, observer, prng }) {
    const isReading = ({ record }: { record: { spec: { fileIds: number[] | null }; checkpoint: unknown } }) =>
      (record.spec.fileIds?.[0] ?? 0) >= MOVING.firstId && record.checkpoint !== null;
    const running = await observer.next(isReading, AIM_MS);
    const firstId = MOVING.firstId + prng.int(0, MOVING.files - 1);
    const sizeBytes = MOVING.sizeBytes + prng.int(1, SPREAD_BYTES);
    if (running) ledger.note(running.id, `fault  file ${firstId} becomes another one of ${sizeBytes} bytes`);
    // The store may be away at the moment.
    return await putSamples(chaos.s3, { firstId, files: 1, sizeBytes }).then(
      () => running !== null,
      () => false,
    );
  },
};
