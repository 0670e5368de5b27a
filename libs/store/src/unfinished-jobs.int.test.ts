import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ownDatabase } from "../../../tests/support/own-database.ts";
import { at, recordIn } from "../../job/src/testing/index.ts";
import { viewOf } from "./view.ts";

const database = ownDatabase();
const { store } = database;
const START = new Date(0);

beforeAll(() => database.migrate());
afterAll(() => database.remove());

test("jobs of one status are paged from the longest unchanged on, and newer and other ones are left out", async () => {
  const view = (status: "queued" | "running" | "paused" | "completed", seconds: number) =>
    viewOf(recordIn(status, { id: randomUUID(), updatedAt: at(seconds).toISOString() }), 1, "", 60);
  const queued = [5, 3, 1, 4, 2].map((seconds) => view("queued", seconds));
  await store.views.upsertMany([...queued, view("queued", 10), view("running", 1), view("paused", 1)]);
  await store.views.upsertMany([view("completed", 1)]);

  const asked = { status: "queued", until: at(10), limit: 3 } as const;
  const first = await store.unfinished.page({ ...asked, from: START });
  expect(first.map(({ updatedAt }) => updatedAt)).toEqual([at(1), at(2), at(3)]);
  const second = await store.unfinished.page({ ...asked, from: at(3) });
  expect(second.map(({ updatedAt }) => updatedAt)).toEqual([at(3), at(4), at(5)]);
  const ids = new Set([...first, ...second].map(({ id }) => id));
  expect(ids).toEqual(new Set(queued.map(({ _id }) => _id)));
  expect(await store.unfinished.page({ ...asked, status: "running", from: START })).toHaveLength(1);
});
