import { BootError } from "@longhaul/runtime";

export type StackErrorCode =
  | "USAGE"
  | "HELP"
  | "DATA_FOLDER"
  | "SERVER_NOT_FOUND"
  | "INSTALL_FAILED"
  | "COMMAND_FAILED"
  | "START_FAILED"
  | "ENDED_AT_START"
  | "PORT_BUSY"
  | "ALREADY_RUNNING"
  | "NOT_RUNNING"
  | "DATA_UNREADABLE"
  | "DEMO_FAILED"
  | "STOPPED";

/** Something in the local stack cannot go on; the message is for the person at the terminal. */
export class StackError extends BootError {
  override readonly name = "StackError";

  constructor(message: string, options: { code: StackErrorCode; cause?: unknown }) {
    super(message, options);
  }
}
