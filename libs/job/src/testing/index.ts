export { aRun, at, erasedRecord, newJobInput, POLICY, recordIn, specOf, T0, written } from "./builders.ts";
