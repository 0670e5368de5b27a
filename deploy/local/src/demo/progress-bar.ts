const WIDTH = 30;
/** Where lines cannot be overwritten, a new one is printed for every step of this many percent. */
const STEP_PERCENT = 10;

/** A bar such as `[#########---------------------]  31 %`; `percent` from 0 to 100. */
export function bar(percent: number): string {
  const filled = Math.round((WIDTH * percent) / 100);
  return `[${"#".repeat(filled)}${"-".repeat(WIDTH - filled)}] ${`${Math.floor(percent)}`.padStart(3)} %`;
}

/** Bytes in the unit that people read: `41.9 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export type ProgressLine = {
  /** Shows how far something is; `details` is text beside the bar. */
  show(percent: number, details: string): void;
  /** Ends the line that was being overwritten. */
  end(): void;
};

/** A line that is overwritten on a terminal; elsewhere a few lines, one for each step. */
export function progressLine(label: string, out: NodeJS.WriteStream): ProgressLine {
  let open = false;
  let shownStep = -1;
  return {
    show(percent, details) {
      const line = `${label}${bar(percent)}  ${details}`;
      if (out.isTTY) {
        open = true;
        out.write(`\r${line.slice(0, (out.columns || 120) - 1)}\u001b[K`);
      } else if (Math.floor(percent / STEP_PERCENT) !== shownStep) {
        shownStep = Math.floor(percent / STEP_PERCENT);
        out.write(`${line}\n`);
      }
    },
    end() {
      if (open) {
        out.write("\n");
      }
      open = false;
    },
  };
}
