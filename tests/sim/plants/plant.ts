/**
 * A defect to be planted: in `file` the text `find`, which must be there exactly once, becomes `replace`. Production code
 * has no switch for it; the text is replaced while the module is loaded (load-plant.ts).
 */
export type Plant = { name: string; file: string; find: string; replace: string };

/** The source with the plant in it. @throws Error when its text is not there exactly once: it would prove nothing */
export function plantInto(source: string, { name, file, find, replace }: Plant): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const times = source.split(find).length - 1;
    throw new Error(`The text of plant ${name} is ${times} times in ${file}, and not once: mend the plant.`);
  }
  return before + replace + after;
}

/** What the simulation must find, each within 200 seeds. */
export const PLANTS: readonly Plant[] = [
  {
    name: "always-ack-when-fenced",
    file: "services/processor/src/job/run.ts",
    find: 'if (onFenced(newest, delivery, { otherItemAlive: alive }) === "ack") slot.ack();',
    replace: "slot.ack();",
  },
  {
    name: "no-read-back-of-an-unanswered-write",
    file: "libs/bus/src/put-once.ts",
    find: "const current = await readBack();",
    replace: 'if (unanswered) return { kind: "conflict", current: null };\n      const current = await readBack();',
  },
  {
    name: "refused-claim-takes-over-a-run-it-had-not-seen",
    file: "services/processor/src/job/admission.ts",
    find: "if (round > 0 && run !== null && run !== firstRun) return null;",
    replace: "",
  },
];
