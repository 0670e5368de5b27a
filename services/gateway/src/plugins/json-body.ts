import { ProblemError } from "../problem-error.ts";
import type { App } from "./app.ts";

/**
 * Reads bodies as JSON, as they are: one that was compressed is refused by its header, before it is called no JSON.
 * Names that JavaScript gives a meaning of its own are left in: `validation.ts` names them with all other bad fields.
 */
export function jsonBody(app: App): void {
  const parse = app.getDefaultJsonParser("ignore", "ignore");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    const coding = request.headers["content-encoding"];
    if (coding === undefined || isIdentity(coding)) void parse(request, body as string, done);
    else done(encoded(coding));
  });
}

const isIdentity = (coding: string) => coding.trim().toLowerCase() === "identity";

/** RFC 9110 §15.5.16: the answer says which codings would have been taken. */
function encoded(coding: string): ProblemError {
  const detail = `The body is encoded as ${JSON.stringify(coding)}, which is not read here.`;
  return new ProblemError("UNSUPPORTED_MEDIA_TYPE", `${detail} Send it as it is, without Content-Encoding.`, {
    errors: [{ header: "content-encoding", detail: "only identity, or no such header" }],
    acceptEncoding: "identity",
  });
}
