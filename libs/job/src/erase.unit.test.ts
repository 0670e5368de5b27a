import { JOB_STATUSES, storedRecord } from "@longhaul/contracts";
import { describe, expect, test } from "vitest";
import { decide } from "./commands.ts";
import { changed, NOW, RULES } from "./testing/decisions.ts";
import { recordIn } from "./testing/index.ts";

describe.each(JOB_STATUSES)("erase of a %s job", (status) => {
  const before = recordIn(status, { named: true, generation: 4 });
  const change = changed(decide(before, { type: "erase", actor: "ada" }, NOW, RULES));

  test("leaves these fields, and no line in any timeline", () => {
    expect(change.type).toBe("download.erased.v1");
    expect(change.entry).toBeNull();
    expect(Object.keys(change.record).sort()).toEqual(
      ["generation", "id", "named", "status", "tenant", "updatedAt", "userHash", "writeId"].sort(),
    );
    expect(change.record).toMatchObject({ generation: 4, named: true, userHash: RULES.userHash });
    expect(storedRecord.safeParse(change.record).success).toBe(true);
  });
});

test("erase drops fields that only a newer version knows", () => {
  const newer = { ...recordIn("queued"), nickname: "ada" };
  expect(JSON.stringify(decide(newer, { type: "erase", actor: "x" }, NOW, RULES))).not.toContain("ada");
});
