/**
 * A process cannot start, or cannot go on, for a reason that a person has to remove. The message is for that person:
 * what happened, what it means, what to do next. It is printed without a stack.
 */
export class BootError extends Error {
  readonly code: string;
  override readonly name: string = "BootError";

  constructor(message: string, { code, cause }: { code: string; cause?: unknown }) {
    super(message, { cause });
    this.code = code;
  }
}
