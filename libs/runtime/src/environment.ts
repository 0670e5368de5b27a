export type Environment = Readonly<Record<string, string | undefined>>;

/** The process's environment variables as they were at start; the only place in the repository that reads them. */
export const environment: Environment = Object.freeze({ ...process.env });
