import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ownDatabase } from "../../../tests/support/own-database.ts";
import { erasedRecord, recordIn, specOf } from "../../job/src/testing/index.ts";
import { type JobView, type View, viewOf } from "./view.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const database = ownDatabase();
const { store } = database;
const { views } = store;

beforeAll(() => database.migrate());

afterAll(() => database.remove());

/** A view of a job at the write with this sequence, which can be told from its neighbours by its name. */
function viewAt(id: string, seq: number): View {
  return viewOf(recordIn("running", { id, spec: specOf({ name: `write ${seq}` }) }), seq, TRACE_ID, 60);
}

async function seen(id: string): Promise<JobView> {
  const view = await views.get(id);
  if (!view || "erased" in view) throw new Error(`there is no view of ${id}`);
  return view;
}

test("writes that race, in any order and for jobs that have no view yet, end at the highest sequence", async () => {
  const ids = Array.from({ length: 40 }, () => randomUUID());
  const batches = Array.from({ length: 8 }, (_, writer) =>
    // Every writer has every job once, each at a sequence of its own, and begins at another job.
    ids.map((_, i) => viewAt(ids[(i + writer * 5) % ids.length] ?? "", 1 + ((writer * 3 + i) % 8))),
  );
  const highest = new Map<string, number>();
  for (const view of batches.flat()) highest.set(view._id, Math.max(view.seq, highest.get(view._id) ?? 0));

  const refused = await Promise.all(batches.map((batch) => views.upsertMany(batch)));

  expect(refused.flat()).toEqual([]);
  for (const id of ids) {
    const view = await seen(id);
    expect(view.seq).toBe(highest.get(id));
    expect(view.record.spec.name).toBe(`write ${view.seq}`);
  }
});

test("an older write, and the same one again, change nothing and are no error", async () => {
  const id = randomUUID();
  await views.upsertMany([viewAt(id, 5)]);
  await views.writeProgress([{ id, seq: 5, n: 3, progress: { ...(await seen(id)).record.progress, filesDone: 1 } }]);
  const before = await seen(id);

  expect(await views.upsertMany([viewAt(id, 4), viewAt(id, 5)])).toEqual([]);

  expect(await seen(id)).toEqual(before);
});

test("progress counts on exactly its sequence, only forward, and makes no view", async () => {
  const [id, absent] = [randomUUID(), randomUUID()];
  await views.upsertMany([viewAt(id, 10)]);
  const { progress } = (await seen(id)).record;
  const to = (seq: number, n: number, bytesDone: number) => ({ id, seq, n, progress: { ...progress, bytesDone } });

  await views.writeProgress([to(10, 2, 200), { ...to(10, 1, 100), id: absent }]);
  await views.writeProgress([to(10, 1, 100), to(9, 7, 700), to(11, 1, 900)]);

  expect(await seen(id)).toMatchObject({ seq: 10, n: 2, record: { progress: { bytesDone: 200 } } });
  expect(await views.get(absent)).toBeNull();

  await views.upsertMany([viewAt(id, 11)]);
  expect((await seen(id)).n).toBe(0);
});

test("a tombstone takes the view's place and no late write brings it back", async () => {
  const id = randomUUID();
  await views.upsertMany([viewAt(id, 3)]);
  const tombstone = viewOf({ ...erasedRecord(), id }, 4, TRACE_ID, 3600);

  await views.upsertMany([tombstone]);
  await views.upsertMany([viewAt(id, 3)]);

  expect(await views.get(id)).toEqual(tombstone);
});

test("metadata is stored as it was given, whatever its keys are", async () => {
  const id = randomUUID();
  const metadata = JSON.parse('{"_bsontype":"ObjectId","a.b":"c","__proto__":"d","_id":"e"}');
  const record = recordIn("queued", { id, spec: specOf({ metadata }) });

  expect(await views.upsertMany([viewOf(record, 1, TRACE_ID, 60)])).toEqual([]);

  expect(JSON.stringify((await seen(id)).record)).toBe(JSON.stringify(record));
});

test("a view that can never be stored is named, and holds up no other", async () => {
  const ids = Array.from({ length: 3 }, () => randomUUID());
  const [first, bad, last] = ids.map((id) => viewAt(id, 1));
  if (!first || !bad || !last) throw new Error("three views");
  const unencodable = { ...bad, errorCode: { _bsontype: "nothing" } } as unknown as View;

  const refused = await views.upsertMany([first, unencodable, last]);

  expect(refused.map(({ id }) => id)).toEqual([bad._id]);
  expect((await seen(first._id)).seq).toBe(1);
  expect((await seen(last._id)).seq).toBe(1);
});

test("more views than one bulk takes", async () => {
  const many = Array.from({ length: 701 }, () => viewAt(randomUUID(), 1));
  expect(await views.upsertMany(many)).toEqual([]);
  for (const index of [0, 99, 100, 499, 700]) expect((await seen(many[index]?._id ?? "")).seq).toBe(1);
});
