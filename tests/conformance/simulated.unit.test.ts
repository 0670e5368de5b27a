import { describe } from "vitest";
import { jobLogConformance } from "./job-log.ts";
import { jobViewsConformance } from "./job-views.ts";
import { payloadsConformance } from "./payloads.ts";
import { resultStoreConformance } from "./result-store.ts";
import {
  simulatedJobLog,
  simulatedJobViews,
  simulatedPayloads,
  simulatedResultStore,
  simulatedWorkQueue,
} from "./simulated-benches.ts";
import { workQueueConformance } from "./work-queue.ts";

describe("the simulated JOBS", () => jobLogConformance(simulatedJobLog));
describe("the simulated WORK", () => workQueueConformance(simulatedWorkQueue));
describe("the simulated views", () => jobViewsConformance(simulatedJobViews));
describe("the simulated store of results", () => resultStoreConformance(simulatedResultStore({ lenient: false })));
describe("the simulated store that checks nothing", () =>
  resultStoreConformance(simulatedResultStore({ lenient: true })));
describe("the simulated payloads", () => payloadsConformance(simulatedPayloads));
