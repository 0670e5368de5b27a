/**
 * Makes a process one of another version of Longhaul, as it stands beside ours in a rolling upgrade:
 * `node --import "…/other-version.ts?writes=more" …` writes one optional field more into every record, `writes=less` one
 * less into its lines of the timeline. The module that stamps records is changed as it is loaded.
 */
import { registerHooks } from "node:module";

/** The field that the newer version knows, and holds the id of the write that first had it. */
export const ADDED_FIELD = "addedInNext";
/** The field that the older version does not know yet. */
export const LACKING_FIELD = "worker";

const STAMP = "export function stamp(";
const AS_WE_DO = "stampAsWeDo";
const VERSIONS: Record<string, string> = {
  more: `const record = ${AS_WE_DO}(change, writeId);
  return record.status === "erased" ? record : { ...record, ${ADDED_FIELD}: record.${ADDED_FIELD} ?? writeId };`,
  less: `const record = ${AS_WE_DO}(change, writeId);
  if (record.status === "erased") return record;
  const known = ({ ${LACKING_FIELD}, ...entry }) => entry;
  return { ...record, timeline: record.timeline.map((entry) => (entry.writeId === writeId ? known(entry) : entry)) };`,
};

const writes = new URL(import.meta.url).searchParams.get("writes");
if (writes !== null) {
  const body = VERSIONS[writes];
  if (!body) throw new Error(`There is no version that writes ${writes}.`);
  const target = new URL("../../libs/job/src/change.ts", import.meta.url).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      const source = String(loaded.source);
      if (!source.includes(STAMP)) throw new Error(`${url} no longer has what this version changes: ${STAMP}`);
      const changed = source.replace(STAMP, `function ${AS_WE_DO}(`);
      return { ...loaded, source: `${changed}\nexport function stamp(change, writeId) {\n  ${body}\n}\n` };
    },
  });
}
