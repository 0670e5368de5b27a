/** Where a conformance test runs: against real servers, or in a simulated world whose time moves only while it waits. */
export type Bench<Driver> = {
  run(test: (driver: Driver) => Promise<void>): Promise<void>;
};

/** What became of a call: `done`, or the code with which it failed. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => "done",
    (error: { code?: string }) => error.code ?? String(error),
  );
}
