import type { FastifyRequest } from "fastify";
import { ProblemError } from "../problem-error.ts";

/** Who makes a request. */
export type Caller = { tenant: string; user: string; roles: readonly string[]; tier: string };

const DEFAULT_TENANT = "default";
const ANONYMOUS = "anonymous";
/** Without authentication nobody's tier is known, and nobody is limited. */
const TIER = "unlimited";
const NO_ROLES: readonly string[] = [];
/** Visible characters; what is longer is no name. */
const USER = /^[\x21-\x7e]{1,200}$/;

/**
 * The caller of a request with `AUTH_MODE=off`: whoever `x-user-id` says, in the tenant `default`.
 * @throws ProblemError `VALIDATION_ERROR` when the name is too long or not visible ASCII
 */
export function callerOf(request: FastifyRequest): Caller {
  return caller(request, headerUser(request) ?? ANONYMOUS);
}

/** The caller of a socket or stream, which may also name itself by `?user_id=`; null = acts as the job's owner. */
export function streamCallerOf(request: FastifyRequest, queryUser: string | undefined): Caller | null {
  const user =
    headerUser(request) ?? (queryUser === undefined ? undefined : checked(queryUser, { parameter: "user_id" }));
  return user === undefined ? null : caller(request, user);
}

/** Whether this is the caller's own job. */
export function owns(caller: Caller, job: { tenant: string; user: string }): boolean {
  return caller.user === job.user && caller.tenant === job.tenant;
}

function caller(request: FastifyRequest, user: string): Caller {
  const roles = request.headers["x-user-roles"];
  return {
    tenant: DEFAULT_TENANT,
    user,
    roles: typeof roles === "string" ? roles.split(",").map((role) => role.trim()) : NO_ROLES,
    tier: TIER,
  };
}

function headerUser(request: FastifyRequest): string | undefined {
  const user = request.headers["x-user-id"];
  return typeof user === "string" && user !== "" ? checked(user, { header: "x-user-id" }) : undefined;
}

function checked(user: string, place: { header: string } | { parameter: string }): string {
  if (USER.test(user)) return user;
  throw new ProblemError("VALIDATION_ERROR", "The user's name is not usable.", {
    errors: [{ ...place, detail: "1 to 200 visible ASCII characters" }],
  });
}
