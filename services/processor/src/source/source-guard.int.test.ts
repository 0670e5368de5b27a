import { afterEach, expect, test } from "vitest";
import { until } from "../../../../tests/support/until.ts";
import { SourceGuard } from "./source-guard.ts";
import { closeAll, FILE, NEVER, origin, read, serve, sourceOf, templateOf } from "./testing/http-files.ts";

afterEach(closeAll);

const SETTINGS = { breakerErrorPercent: 50, breakerMinCalls: 4, breakerResetMs: 200, probeTimeoutMs: 5_000 };

/** A web server that can be taken away, behind a breaker. */
async function guardedOrigin() {
  const state = { isAway: false };
  const server = await origin((request, response) => {
    if (state.isAway) response.writeHead(503).end();
    else serve(request, response);
  });
  const source = sourceOf(templateOf(server));
  const guard = new SourceGuard("source_http", source, SETTINGS);
  return { state, server, guard, source: guard.around(source) };
}

test("while a host fails its files are waited for, and no call is made but the probe; then reading goes on", async () => {
  const { state, server, guard, source } = await guardedOrigin();
  const file = await source.find(70_000, NEVER);
  state.isAway = true;
  const failures = [];
  for (let i = 0; i < 10; i++) failures.push(await source.find(70_000, NEVER).catch((error: unknown) => error));
  expect(failures.at(0)).toMatchObject({ code: "SOURCE_UNAVAILABLE", waitsFor: null });
  expect(failures.at(-1)).toMatchObject({ code: "SOURCE_UNAVAILABLE", stage: "plan", waitsFor: "source" });
  await expect(read(source, 0, file)).rejects.toMatchObject({ stage: "read-source", waitsFor: "source" });
  expect(server.requests.length).toBeLessThan(10);
  state.isAway = false;
  await until("the probe closes the breaker", () => !guard.breaker.isOpen);
  expect(await read(source, 0, file)).toEqual(FILE);
  guard.breaker.close();
});

test("files that are not there say that the host is well", async () => {
  const server = await origin((_, response) => response.writeHead(404).end());
  const source = sourceOf(templateOf(server));
  const guard = new SourceGuard("source_http", source, SETTINGS);
  for (let i = 0; i < 10; i++) {
    await expect(guard.around(source).find(70_000, NEVER)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  }
  expect([guard.breaker.isOpen, server.requests.length]).toEqual([false, 10]);
});
