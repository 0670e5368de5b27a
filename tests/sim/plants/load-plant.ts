/**
 * Plants one defect into the code under test: `node --import "./tests/sim/plants/load-plant.ts?plant=NAME" …`. Its text is
 * replaced as the module is loaded; a plant that cannot be planted, or that nothing loads, ends the process with an error.
 */
import { registerHooks } from "node:module";
import { PLANTS, plantInto } from "./plant.ts";

const ROOT = new URL("../../../", import.meta.url);
const NEVER_LOADED = 3;

const name = new URL(import.meta.url).searchParams.get("plant");
const plant = PLANTS.find((one) => one.name === name);
if (!plant) throw new Error(`There is no plant ${name}. There are: ${PLANTS.map((one) => one.name).join(", ")}.`);

const target = new URL(plant.file, ROOT).href;
let planted = false;
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== target) return loaded;
    planted = true;
    return { ...loaded, source: plantInto(String(loaded.source), plant) };
  },
});
process.on("exit", () => {
  if (planted) return;
  console.error(`Plant ${name} was never loaded: nothing imports ${plant.file}.`);
  process.exitCode = NEVER_LOADED;
});
