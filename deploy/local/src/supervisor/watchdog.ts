import { type ChildProcess, spawn } from "node:child_process";

export type Kind = "service" | "server";

export type Watchdog = {
  add(kind: Kind, pid: number): void;
  remove(pid: number): void;
  /** Everything was stopped in good order: nothing is left to watch. */
  dismiss(): void;
};

/**
 * A shell that reads which processes the supervisor has, and does nothing else while its input is open. The input
 * closes when the supervisor is gone, even by SIGKILL: then it ends the services, and after them the servers that the
 * services still needed, so that nothing holds ports and data folders for long.
 */
const SCRIPT = `
trap '' INT HUP TERM
services=''; servers=''
without() { rest=''; for p in $2; do [ "$p" = "$1" ] || rest="$rest $p"; done; echo "$rest"; }
while read -r verb pid; do
  case "$verb" in
    service) services="$services $pid" ;;
    server) servers="$servers $pid" ;;
    remove) services=$(without "$pid" "$services"); servers=$(without "$pid" "$servers") ;;
    dismiss) exit 0 ;;
  esac
done
end() {
  seconds=$1; shift
  [ $# -gt 0 ] || return 0
  kill -TERM "$@" 2>/dev/null
  while [ "$seconds" -gt 0 ] && kill -0 "$@" 2>/dev/null; do sleep 1; seconds=$((seconds - 1)); done
  kill -KILL "$@" 2>/dev/null
}
end 15 $services
end 5 $servers
`;

/** Starts the watchdog of this process. It is a session of its own, so that a Ctrl-C at the terminal does not reach it. */
export function startWatchdog(): Watchdog {
  const shell: ChildProcess = spawn("/bin/sh", ["-c", SCRIPT], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  shell.on("error", () => {});
  shell.stdin?.on("error", () => {});
  shell.unref();
  const tell = (line: string) => shell.stdin?.write(`${line}\n`);
  return {
    add: (kind, pid) => tell(`${kind} ${pid}`),
    remove: (pid) => tell(`remove ${pid}`),
    dismiss: () => {
      shell.stdin?.end("dismiss\n");
    },
  };
}
