import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Payloads, ResultStore } from "../../services/processor/src/job/ports.ts";
import { crcOf } from "../sim/objects/object-server.ts";
import { type Bench, outcomeOf } from "./bench.ts";

/** `store` writes to the same bucket. */
export type PayloadsDriver = { payloads: Payloads; store: ResultStore };

/** What gateways and the work take for granted of payloads. */
export function payloadsConformance(bench: Bench<PayloadsDriver>): void {
  const { signal } = new AbortController();
  const owner = { tenant: "conformance", id: randomUUID() };
  const value = [["räume.zip", 1, null], "FILE_NOT_FOUND"];

  test("what was put is found again, under another key each time", () =>
    bench.run(async ({ payloads }) => {
      const refs = [await payloads.put(owner, value, signal), await payloads.put(owner, value, signal)];
      for (const ref of refs) {
        expect(ref.key.startsWith(`payload/${owner.tenant}/${owner.id}/`)).toBe(true);
        expect(await payloads.get(ref, signal)).toEqual(value);
      }
      expect(refs[0]?.key).not.toBe(refs[1]?.key);
      expect(refs[0]?.sha256).toBe(refs[1]?.sha256);
    }));

  test("other bytes in its place, and none, are told from it", () =>
    bench.run(async ({ payloads, store }) => {
      const ref = await payloads.put(owner, value, signal);
      const changed = Buffer.from(JSON.stringify(value).replace("1", "2"));
      await store.put(ref.key, changed, { contentType: "application/json", crc32: crcOf(changed), signal });
      expect(await outcomeOf(payloads.get(ref, signal))).toBe("DAMAGED");
      expect(await outcomeOf(payloads.get({ ...ref, key: `${ref.key}x` }, signal))).toBe("NOT_FOUND");
    }));
}
