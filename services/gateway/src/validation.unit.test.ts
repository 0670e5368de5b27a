import { createDownloadBody } from "@longhaul/contracts";
import { expect, test } from "vitest";
import { fieldErrors, pointer } from "./validation.ts";

const body = createDownloadBody({ maxFiles: 1000, resultTtlSeconds: 86_400, resultTtlMaxSeconds: 604_800 });
const pointersOf = (value: unknown) => {
  const errors = fieldErrors(value, body.safeParse(value).error);
  return errors.map((e) => ("pointer" in e ? e.pointer : ""));
};

test("a pointer is a URI fragment with its two escapes", () => {
  expect(pointer([])).toBe("#");
  expect(pointer(["fileIds", 3])).toBe("#/fileIds/3");
  expect(pointer(["a/b~c", "ü %"])).toBe("#/a~1b~0c/%C3%BC%20%25");
});

test("each unknown field is an error of its own", () => {
  expect(pointersOf({ fileIds: [70_000], colour: 1, size: 2 })).toEqual(["#/colour", "#/size"]);
});

test("what is missing and what is not an object are told", () => {
  expect(pointersOf({})).toEqual(["#/fileIds"]);
  expect(pointersOf([])).toEqual(["#"]);
  expect(pointersOf(undefined)).toEqual(["#"]);
});

test("a value that fits none of several forms names all of them", () => {
  const value = { fileIds: [70_000], priority: "urgent" };
  const [first] = fieldErrors(value, body.safeParse(value).error);
  expect(first?.detail).toContain("high");
  expect(first?.detail).toContain("number");
});

test.for([
  ['{"fileIds":[70000],"__proto__":{}}', "#/__proto__"],
  ['{"fileIds":[70000],"metadata":{"__proto__":"x"}}', "#/metadata/__proto__"],
  ['{"fileIds":[70000],"metadata":{"\\u005f_proto__":{"__proto__":1}}}', "#/metadata/__proto__"],
] as const)("a field that would be lost without a word is named: %s", ([text, first]) => {
  expect(pointersOf(JSON.parse(text))[0]).toBe(first);
});

test("names that are only unusual are taken", () => {
  expect(pointersOf({ fileIds: [70_000], metadata: { constructor: "x", prototype: "y" } })).toEqual([]);
});

test("the list of errors has an end", () => {
  expect(pointersOf({ fileIds: Array(1000).fill(1) })).toHaveLength(100);
});
