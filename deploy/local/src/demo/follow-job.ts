import { setTimeout as sleep } from "node:timers/promises";
import { type ApiJob, type ApiProgress, serverFrame, WS_PROTOCOL } from "@longhaul/contracts";
import { StackError } from "../stack-error.ts";

const RECONNECT_AFTER_MS = 500;

export type Follow = {
  baseUrl: string;
  jobId: string;
  signal: AbortSignal;
  /** Called for every frame that says how far the job is. */
  onProgress: (progress: ApiProgress, status: ApiJob["status"] | null) => void;
};

/** Follows a job over its WebSocket until its last frame and returns the job as it ended. Connects again when cut. */
export async function followJob(follow: Follow): Promise<ApiJob> {
  let since: string | null = null;
  for (;;) {
    const { ended, version } = await oneConnection(follow, since);
    if (ended) {
      return ended;
    }
    follow.signal.throwIfAborted();
    since = version ?? since;
    await sleep(RECONNECT_AFTER_MS, undefined, { signal: follow.signal });
  }
}

type Seen = { ended: ApiJob | null; version: string | null };

function oneConnection({ baseUrl, jobId, signal, onProgress }: Follow, since: string | null): Promise<Seen> {
  const url = new URL(`/v1/downloads/${jobId}/ws`, baseUrl.replace(/^http/, "ws"));
  if (since) {
    url.searchParams.set("since", since);
  }
  return new Promise((resolve, reject) => {
    const seen: Seen = { ended: null, version: null };
    const socket = new WebSocket(url, WS_PROTOCOL);
    const close = () => socket.close();
    signal.addEventListener("abort", close, { once: true });
    socket.addEventListener("message", ({ data }) => {
      const frame = serverFrame.safeParse(JSON.parse(String(data)));
      if (!frame.success) {
        socket.close();
        reject(
          new StackError(`The socket sent a frame that is not as agreed: ${data}`, {
            code: "DEMO_FAILED",
            cause: frame.error,
          }),
        );
      } else if (frame.data.type === "job") {
        seen.version = frame.data.version;
        seen.ended = frame.data.final ? frame.data.job : null;
        onProgress(frame.data.job.progress, frame.data.job.status);
      } else if (frame.data.type === "progress") {
        seen.version = frame.data.version;
        onProgress(frame.data.progress, null);
      }
    });
    socket.addEventListener("close", () => {
      signal.removeEventListener("abort", close);
      resolve(seen);
    });
  });
}
