import { resolve } from "node:path";
import { expect, test } from "vitest";
import { StackError } from "../stack-error.ts";
import { startArguments } from "./start-arguments.ts";

test("defaults", () => {
  expect(startArguments([], {})).toEqual({
    dataDir: resolve(".longhaul"),
    port: 8080,
    counts: { gateway: 1, processor: 1, notifier: 1 },
  });
});

test("the command line beats the environment", () => {
  expect(startArguments([], { PORT: "9000" }).port).toBe(9000);
  expect(startArguments(["--port", "9001", "--processors=3"], { PORT: "9000" })).toMatchObject({
    port: 9001,
    counts: { gateway: 1, processor: 3, notifier: 1 },
  });
});

test.each([
  [["--bogus"], /'--bogus'[\s\S]*--port N/],
  [["--port", "eighty"], /--port must be a whole number from 1 to 65535; it is "eighty"/],
  [["--port", "70000"], /65535/],
  [["--gateways", "0"], /--gateways must be a whole number from 1/],
  [["--port"], /--port/],
  [["stray"], /stray/],
])("%j is refused with what there is", (argv, message) => {
  const start = () => startArguments(argv, {});
  expect(start).toThrow(message);
  expect(start).toThrow(StackError);
});

test("a wrong PORT is named as such", () => {
  expect(() => startArguments([], { PORT: "http" })).toThrow(/^PORT must be a whole number/);
});
