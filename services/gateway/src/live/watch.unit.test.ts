import { expect, test } from "vitest";
import { erasedRecord, POLICY, recordIn } from "../../../../libs/job/src/testing/index.ts";
import { Watch } from "./watch.ts";

const confirmed = { confirmed: true };
const queued = recordIn("queued");
const running = recordIn("running");
const progressAt = (seq: number, n: number, bytesDone = n) => ({
  userHash: "x",
  seq,
  n,
  progress: { ...running.progress, bytesTotal: 100, bytesDone },
});

function watching() {
  const watch = new Watch(queued.id, POLICY, 0);
  const seen: (string | undefined)[] = [];
  watch.listen(() => seen.push(watch.shown?.label));
  return { watch, seen };
}

test("it moves to higher versions only, and tells each move once", () => {
  const { watch, seen } = watching();
  watch.take({ seq: 5, record: queued }, confirmed);
  watch.take({ seq: 5, record: queued }, confirmed);
  watch.take({ seq: 4, record: running }, confirmed);
  watch.take({ seq: 9, record: running }, confirmed);
  watch.takeProgress(progressAt(9, 2));
  watch.takeProgress(progressAt(9, 1));
  watch.takeProgress(progressAt(5, 7));
  expect(seen).toEqual(["5.0", "9.0", "9.2"]);
  expect(watch.shown?.job).toMatchObject({ status: "processing", version: "9.2", progress: { bytesDone: 2 } });
});

test("progress that comes before its write waits for it, and counts on no other", () => {
  const { watch, seen } = watching();
  watch.take({ seq: 5, record: queued }, confirmed);
  watch.takeProgress(progressAt(9, 3));
  watch.takeProgress(progressAt(9, 2));
  watch.take({ seq: 7, record: running }, confirmed);
  expect(watch.shown?.label).toBe("7.0");
  watch.take({ seq: 9, record: running }, confirmed);
  expect(seen).toEqual(["5.0", "7.0", "9.3"]);
  expect(watch.shown?.progress.bytesDone).toBe(3);
});

test("what a view knows is shown as unconfirmed until the bus says the same or more", () => {
  const { watch, seen } = watching();
  watch.take({ seq: 5, record: running }, { confirmed: false, n: 4 });
  expect([watch.shown?.label, watch.confirmed]).toEqual(["5.4", false]);
  watch.take({ seq: 5, record: running }, confirmed);
  expect([watch.shown?.label, watch.confirmed]).toEqual(["5.4", true]);
  watch.doubt();
  watch.doubt();
  watch.take({ seq: 4, record: queued }, confirmed);
  expect(watch.confirmed).toBe(false);
  expect(seen).toEqual(["5.4", "5.4", "5.4"]);
});

test("an erased job is not shown any more, and older writes do not bring it back", () => {
  const { watch, seen } = watching();
  watch.take({ seq: 5, record: queued }, confirmed);
  watch.take({ seq: 6, record: erasedRecord(queued) }, confirmed);
  watch.take({ seq: 5, record: queued }, confirmed);
  watch.takeProgress(progressAt(6, 1));
  expect([watch.shown, watch.erased, watch.seq]).toEqual([null, true, 6]);
  expect(seen).toEqual(["5.0", undefined]);
});
