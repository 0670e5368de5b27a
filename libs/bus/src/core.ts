import {
  PROGRESS_SUBJECTS,
  type ProgressMessage,
  progressMessage,
  progressSubject,
  pushSubject,
  storedSubject,
  subjectJobId,
} from "@longhaul/contracts";
import type { Logger } from "@longhaul/runtime";
import type { Msg } from "@nats-io/transport-node";
import type { Bus } from "./connect.ts";
import { publishCore } from "./core-publish.ts";
import { encodeHeaders, HEADERS, readHeader } from "./headers.ts";
import { decodeJobEvent, parseJson } from "./job-event.ts";
import type { StoredMessage } from "./stored.ts";

export type Subscription = { close(): void };

/** What a notifier tells the gateways about one job. */
export type PushMessage =
  | { kind: "stored"; id: string; stored: StoredMessage }
  | { kind: "progress"; id: string; message: ProgressMessage };

export type SubscribeOptions = {
  /** Of several subscribers with the same queue name each message reaches one. */
  queue?: string;
};

/** Messages that are not stored. While disconnected they are lost, so nothing that matters depends on one. */
export type CoreMessages = {
  publishProgress(id: string, message: ProgressMessage, traceparent: string): void;
  pushStored(userHash: string, stored: StoredMessage): void;
  /** The user hash is in the message. */
  pushProgress(id: string, message: ProgressMessage, traceparent: string | null): void;
  /** Each stored write of one job, or (`*`) of all. */
  subscribeStored(id: string, handler: (stored: StoredMessage) => void, options?: SubscribeOptions): Subscription;
  subscribeProgress(
    handler: (id: string, message: ProgressMessage, traceparent: string | null) => void,
    options?: SubscribeOptions,
  ): Subscription;
  /** Whatever is pushed about one job. */
  subscribePush(id: string, handler: (push: PushMessage) => void): Subscription;
};

export function createCore(bus: Bus, log: Logger): CoreMessages {
  /** A handler that throws, or a message that nobody can read (null), costs a log line and nothing else. */
  function subscribe<T>(
    subject: string,
    decode: (message: Msg) => T | null,
    handle: (value: T, message: Msg) => void,
    options: SubscribeOptions = {},
  ): Subscription {
    const subscription = bus.nc.subscribe(subject, {
      ...options,
      callback: (_, message) => {
        try {
          const value = decode(message);
          if (value === null) log.error({ subject: message.subject }, "left out an unreadable message");
          else handle(value, message);
        } catch (error) {
          log.error({ subject: message.subject, err: error }, "handling a message failed");
        }
      },
    });
    return { close: () => subscription.unsubscribe() };
  }

  return {
    publishProgress(id, message, traceparent) {
      publishProgressOn(bus, progressSubject(id), message, traceparent);
    },
    pushStored(userHash, { seq, record, traceparent, bytes }) {
      const headers = encodeHeaders({ [HEADERS.sequence]: seq, [HEADERS.traceparent]: traceparent });
      publishCore(bus.nc, pushSubject(userHash, record.id), bytes, { headers });
    },
    pushProgress(id, message, traceparent) {
      publishProgressOn(bus, pushSubject(message.userHash, id), message, traceparent);
    },
    subscribeStored: (id, handler, options) => subscribe(storedSubject(id), decodeStored, handler, options),
    subscribeProgress(handler, options) {
      const handle = (value: ProgressMessage, { subject, headers }: Msg) =>
        handler(subjectJobId(subject), value, readHeader(headers, HEADERS.traceparent));
      return subscribe(PROGRESS_SUBJECTS, decodeProgress, handle, options);
    },
    subscribePush: (id, handler) => subscribe(pushSubject("*", id), decodePush, handler),
  };
}

function publishProgressOn(bus: Bus, subject: string, message: ProgressMessage, traceparent: string | null): void {
  publishCore(bus.nc, subject, JSON.stringify(message), {
    headers: encodeHeaders({ [HEADERS.traceparent]: traceparent }),
  });
}

function decodeStored({ data, headers }: Msg): StoredMessage | null {
  return decodeJobEvent(data, Number(readHeader(headers, HEADERS.sequence)));
}

const decodeProgress = ({ data }: Msg): ProgressMessage | null =>
  progressMessage.safeParse(parseJson(data)).data ?? null;

/** A stored write comes with its sequence as header, progress without. */
function decodePush(push: Msg): PushMessage | null {
  const id = subjectJobId(push.subject);
  if (readHeader(push.headers, HEADERS.sequence) !== null) {
    const stored = decodeStored(push);
    return stored && { kind: "stored", id, stored };
  }
  const message = decodeProgress(push);
  return message && { kind: "progress", id, message };
}
