import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { generatedFiles } from "../../docs/generated-files.ts";

test.each(generatedFiles())("$path is what `npm run docs` writes", ({ path, content }) => {
  expect(readFileSync(resolve(import.meta.dirname, "../..", path), "utf8")).toBe(content);
});
