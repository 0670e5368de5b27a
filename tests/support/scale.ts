import { environment } from "../../libs/runtime/src/environment.ts";

/** Of a test's two sizes the one that `TEST_SCALE` asks for: `short` (the default, for every commit) or `full`. */
export function scaled<T>(sizes: { short: T; full: T }): T {
  return environment.TEST_SCALE === "full" ? sizes.full : sizes.short;
}
