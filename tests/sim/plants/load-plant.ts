/**
 * Plants one defect into the code under test: `node --import "./tests/sim/plants/load-plant.ts?plant=NAME" …`. The text is
 * replaced as the module is loaded; where it is not found exactly once the process ends with an error, because a plant
 * that is not planted would prove nothing.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { PLANTS } from "./plant.ts";

const ROOT = new URL("../../../", import.meta.url);
const name = new URL(import.meta.url).searchParams.get("plant");
const plant = PLANTS.find((one) => one.name === name);
if (!plant) throw new Error(`There is no plant ${name}. There are: ${PLANTS.map((one) => one.name).join(", ")}.`);

const target = new URL(plant.file, ROOT);
const places = readFileSync(target, "utf8").split(plant.find).length - 1;
if (places !== 1)
  throw new Error(`The text of plant ${name} is in ${plant.file} ${places} times, and not once: mend the plant.`);

let planted = false;
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== target.href) return loaded;
    planted = true;
    return { ...loaded, source: String(loaded.source).replace(plant.find, () => plant.replace) };
  },
});
process.on("exit", (code) => {
  if (planted || code === 2) return;
  console.error(`Plant ${name} was never loaded: nothing imports ${plant.file}.`);
  process.exitCode = 3;
});
