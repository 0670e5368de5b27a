/** `npm run docs`: writes what is generated from the code, `docs/configuration.md` and `.env.example`. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { generatedFiles } from "./generated-files.ts";

for (const { path, content } of generatedFiles()) {
  writeFileSync(resolve(import.meta.dirname, "..", path), content);
  console.log(`wrote ${path}`);
}
