export type StackErrorCode =
  | "USAGE"
  | "SERVER_NOT_FOUND"
  | "INSTALL_FAILED"
  | "COMMAND_FAILED"
  | "START_FAILED"
  | "ENDED_AT_START"
  | "PORT_BUSY"
  | "ALREADY_RUNNING"
  | "NOT_RUNNING"
  | "DATA_UNREADABLE"
  | "DEMO_FAILED";

/** An error of the local stack whose message is meant for the person at the terminal: what happened and what to do. */
export class StackError extends Error {
  readonly code: StackErrorCode;

  constructor(code: StackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StackError";
    this.code = code;
  }
}
