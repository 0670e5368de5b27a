/** A client's end of a socket: keeps what it gets. Declares the frames by what the tests look at. */
export type Frame = {
  type: string;
  version?: string;
  final?: boolean;
  code?: number;
  reason?: string;
  reconnect?: boolean;
  afterMs?: number | null;
  id?: string | null;
  at?: string;
  job?: { id: string; status: string; version: string; stale?: boolean; progress: { bytesDone: number } };
  progress?: { bytesDone: number };
};

export type TestSocket = {
  frames: Frame[];
  /** Resolves with the close code. */
  closed: Promise<number>;
  protocol(): string;
  send(text: string | Uint8Array): void;
  close(): void;
};

/** Connects Node's own WebSocket client. */
export function openSocket(url: string, protocols: string[] = []): TestSocket {
  const socket = new WebSocket(url.replace(/^http/, "ws"), protocols);
  const frames: Frame[] = [];
  socket.addEventListener("message", ({ data }) => frames.push(JSON.parse(String(data)) as Frame));
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  return {
    frames,
    closed,
    protocol: () => socket.protocol,
    send: (text) => socket.send(text as never),
    close: () => socket.close(),
  };
}
