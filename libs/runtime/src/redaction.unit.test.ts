import { expect, test } from "vitest";
import { createLogger, jobLog } from "./logger.ts";
import { redact } from "./redaction.ts";

const SIGNED =
  "http://s3/longhaul/a.zip?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2Fx&X-Amz-Signature=deadbeef&X-Amz-Security-Token=sesame&x-id=GetObject";

/** The line that a log call writes, parsed. */
function logged(write: (log: ReturnType<typeof createLogger>) => void): {
  text: string;
  line: Record<string, unknown>;
} {
  const lines: string[] = [];
  write(createLogger("test", "info", { write: (line) => lines.push(line) }));
  expect(lines).toHaveLength(1);
  const text = lines[0] ?? "";
  return { text, line: JSON.parse(text) };
}

test("what a signed URL is good for is taken out, the rest stays readable", () => {
  const redacted = redact(`GET ${SIGNED} failed`);
  expect(redacted).not.toMatch(/AKIA|deadbeef|sesame/);
  expect(redacted).toContain("X-Amz-Algorithm=AWS4-HMAC-SHA256");
  expect(redacted).toContain("x-id=GetObject failed");
});

test("secrets are taken out of a line wherever they stand, and it stays JSON", () => {
  const { text, line } = logged((log) =>
    log.info(
      {
        req: { headers: { Authorization: "Bearer abc.def.ghi", cookie: ["a=1", "b=2"], host: "h" } },
        deep: { a: { b: { s3SecretAccessKey: 'pa"55', tokens: 3 } } },
        err: new Error(`fetch ${SIGNED}: no route`),
        url: "mongodb://root:pa55@db/admin",
      },
      "called with Basic cm9vdDpwYTU1 on /ws?token=pa55&since=1.2",
    ),
  );
  expect(text).not.toMatch(/abc\.def|a=1|pa"?\\?"?55|deadbeef|cm9vd/);
  expect(line).toMatchObject({
    level: "info",
    service: "test",
    req: { headers: { Authorization: "***", host: "h" } },
    deep: { a: { b: { s3SecretAccessKey: "***", tokens: 3 } } },
    url: "mongodb://***@db/admin",
    msg: "called with Basic *** on /ws?token=***&since=1.2",
  });
});

test("lines about a job carry its id and its trace", () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const { line } = logged((log) => jobLog(log, { id: "j1", traceparent }).info("hello"));
  expect(line).toMatchObject({ job_id: "j1", trace_id: "4bf92f3577b34da6a3ce929d0e0e4736" });
  expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});
