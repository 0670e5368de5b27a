const IN_FLIGHT = 256;

/** Does `work` so many times, 256 at a time. */
export async function inFlight(count: number, work: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}
