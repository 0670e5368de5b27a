import { JOB_CLASSES, LANES, laneConsumer } from "@longhaul/contracts";
import type { LaneState } from "./slots.ts";

/** A lane of `WORK`, and the one pull request that may be open for it. */
export type PulledLane = LaneState & {
  readonly consumer: string;
  /** Reply subject of the open request; null = none. */
  request: string | null;
  /** When it was last heard of, and when the lane may be asked again: monotonic, milliseconds. */
  heardAt: number;
  notBefore: number;
};

/** All six, with nothing running and nothing asked for. */
export const idleLanes = (): PulledLane[] =>
  JOB_CLASSES.flatMap((jobClass) =>
    LANES.map((lane) => ({
      class: jobClass,
      lane,
      consumer: laneConsumer(jobClass, lane),
      ...{ running: 0, asked: 0, pending: 0 },
      ...{ request: null, heardAt: 0, notBefore: 0 },
    })),
  );
