import { expect, test } from "vitest";
import { systemRandom } from "./random.ts";
import { childOf, parseTraceparent, traceIdOf } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

test("a valid traceparent is taken apart", () => {
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, parentId: SPAN, sampled: true });
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-02`)).toMatchObject({ sampled: false });
});

test("of a later version what is known is read", () => {
  expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-holds`)).toMatchObject({
    traceId: TRACE,
    sampled: true,
  });
});

test.each([
  ["absent", undefined],
  ["empty", ""],
  ["version ff", `ff-${TRACE}-${SPAN}-01`],
  ["more after version 00", `00-${TRACE}-${SPAN}-01-more`],
  ["a dash at its end", `00-${TRACE}-${SPAN}-01-`],
  ["no dash before what is more", `cc-${TRACE}-${SPAN}-01.more`],
  ["upper case", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ["trace id of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
  ["span id of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
  ["short trace id", `00-${TRACE.slice(1)}-${SPAN}-01`],
  ["flags not hex", `00-${TRACE}-${SPAN}-0g`],
  ["blank before", ` 00-${TRACE}-${SPAN}-01`],
  ["line after", `00-${TRACE}-${SPAN}-01\n`],
])("%s is no traceparent", (_, header) => {
  expect(parseTraceparent(header)).toBeNull();
});

test("a child stays in the trace, keeps the decision to sample, and has a span of its own", () => {
  const child = parseTraceparent(childOf(`00-${TRACE}-${SPAN}-01`, systemRandom));
  expect(child).toMatchObject({ traceId: TRACE, sampled: true });
  expect(child?.parentId).not.toBe(SPAN);
});

test("without a valid parent a new trace begins", () => {
  const first = childOf("nonsense", systemRandom);
  expect(parseTraceparent(first)).toMatchObject({ sampled: false });
  expect(traceIdOf(first)).not.toBe(traceIdOf(childOf(undefined, systemRandom)));
});
