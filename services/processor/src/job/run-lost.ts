/**
 * Why a run ends without an end of its own:
 * `fenced` somebody else wrote the job · `unanswered` a write stayed without an answer, so the run may be fenced.
 * Whoever loses a run touches nothing any more, neither in object storage nor in the job.
 */
export class RunLost extends Error {
  readonly reason: "fenced" | "unanswered";

  constructor(reason: RunLost["reason"]) {
    super(reason === "fenced" ? "another writer has taken the job over" : "a write of the job got no answer");
    this.name = "RunLost";
    this.reason = reason;
  }
}

/** The process shuts down: the run hands its job back. */
export class ShuttingDown extends Error {
  constructor() {
    super("the processor is shutting down");
    this.name = "ShuttingDown";
  }
}
