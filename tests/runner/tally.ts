/** What one step of the test run came to. */
export type Tally = { passed: number; failed: number; skipped: SkippedTest[] };

export type SkippedTest = { name: string; reason: string };

/** The tallies added up. */
export function total(tallies: Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, tally) => sum + tally.passed, 0),
    failed: tallies.reduce((sum, tally) => sum + tally.failed, 0),
    skipped: tallies.flatMap((tally) => tally.skipped),
  };
}
