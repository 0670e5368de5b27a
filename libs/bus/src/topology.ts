import {
  DEAD_LETTER_SUBJECTS,
  JOB_CLASSES,
  JOB_SUBJECTS,
  LANES,
  laneConsumer,
  laneSubjects,
  STREAMS,
  WORK_SUBJECTS,
} from "@longhaul/contracts";
import type { ConsumerConfig, StreamConfig } from "@nats-io/jetstream";

export type TopologySettings = {
  /** Copies of each stream; 1 on a single server. */
  replicas: number;
  /** Bound of `JOBS`; the server reserves it. */
  jobsMaxBytes: number;
  /** How long a delivery may stay unanswered before it goes to another worker, milliseconds. */
  ackWaitMs: number;
};

export type StreamDeclaration = Partial<StreamConfig> & { name: string };
export type ConsumerDeclaration = { stream: string; config: Partial<ConsumerConfig> & { durable_name: string } };

const DAY_NS = 24 * 60 * 60 * 1e9;

/** The newest message of each job. No max_age and no purge: an ended job leaves by the lifetime of its last message. */
export const jobsStream = ({ replicas, jobsMaxBytes }: TopologySettings): StreamDeclaration => ({
  name: STREAMS.jobs,
  description: "One message for each job: its whole state",
  subjects: [JOB_SUBJECTS],
  storage: "file",
  retention: "limits",
  max_msgs_per_subject: 1,
  discard: "new",
  max_bytes: jobsMaxBytes,
  num_replicas: replicas,
  allow_direct: true,
  allow_msg_ttl: true,
  republish: { src: JOB_SUBJECTS, dest: "download.rt.{{wildcard(1)}}" },
});

/** The queue of ids. No bound on bytes: its refusal would look like "the item is there". */
export const workStream = ({ replicas }: TopologySettings): StreamDeclaration => ({
  name: STREAMS.work,
  description: "One item for each generation of a job that has work",
  subjects: [WORK_SUBJECTS],
  storage: "file",
  retention: "workqueue",
  max_msgs_per_subject: 1,
  discard: "new",
  discard_new_per_subject: true,
  num_replicas: replicas,
  allow_direct: true,
});

export const deadLettersStream = ({ replicas }: TopologySettings): StreamDeclaration => ({
  name: STREAMS.deadLetters,
  description: "Messages that nobody could read",
  subjects: [DEAD_LETTER_SUBJECTS],
  storage: "file",
  retention: "limits",
  max_age: 30 * DAY_NS,
  num_replicas: replicas,
});

const consumerDefaults = ({ ackWaitMs }: TopologySettings) => ({
  ack_policy: "explicit" as const,
  deliver_policy: "all" as const,
  ack_wait: ackWaitMs * 1e6,
  max_deliver: -1,
  max_ack_pending: 20_000,
  // Cannot be changed later.
  max_waiting: 2048,
});

/** One for each lane, so that no lane stands in the way of another. */
export const laneConsumers = (settings: TopologySettings): ConsumerDeclaration[] =>
  JOB_CLASSES.flatMap((jobClass) =>
    LANES.map((lane) => ({
      stream: STREAMS.work,
      config: {
        durable_name: laneConsumer(jobClass, lane),
        filter_subject: laneSubjects(jobClass, lane),
        ...consumerDefaults(settings),
      },
    })),
  );

/** Unfiltered: filters over as many subjects as there are jobs are a slow path of the server. */
const jobsConsumer =
  (durable: string) =>
  (settings: TopologySettings): ConsumerDeclaration => ({
    stream: STREAMS.jobs,
    config: { durable_name: durable, ...consumerDefaults(settings) },
  });

export const projectorConsumer = jobsConsumer("projector");
export const cleanupConsumer = jobsConsumer("cleanup");
