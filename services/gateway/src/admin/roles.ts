import type { FastifyRequest } from "fastify";
import { type Caller, callerOf } from "../plugins/caller.ts";
import { ProblemError } from "../problem-error.ts";

const MAY_ACT = ["admin", "operator"];
const MAY_READ = [...MAY_ACT, "viewer"];

/** The caller, who may read what operators see. @throws ProblemError `FORBIDDEN` */
export const reader = (request: FastifyRequest): Caller => withRole(request, MAY_READ);

/** The caller, who may do what operators do. @throws ProblemError `FORBIDDEN` */
export const operator = (request: FastifyRequest): Caller => withRole(request, MAY_ACT);

function withRole(request: FastifyRequest, roles: readonly string[]): Caller {
  const caller = callerOf(request);
  if (caller.roles.some((role) => roles.includes(role))) return caller;
  throw new ProblemError("FORBIDDEN", `This needs one of the roles ${roles.join(", ")}.`);
}
