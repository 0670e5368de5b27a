import { expect, test } from "vitest";
import { pathJobId, requestPath } from "./request-path.ts";

test.for([
  ["/v1/downloads", "/v1/downloads"],
  ["/v1/downloads/", "/v1/downloads"],
  ["/api/v1/downloads/?a=/", "/v1/downloads?a=/"],
  ["/api/ws/x", "/ws/x"],
  ["/api/v1", "/v1"],
  ["/api/v10/x", "/api/v10/x"],
  ["/api/health", "/api/health"],
  ["/api/api/v1/x", "/api/api/v1/x"],
  ["/", "/"],
  ["/?x=/", "/?x=/"],
] as const)("%s is served as %s", ([url, path]) => {
  expect(requestPath(url)).toBe(path);
});

test("a job id is a UUID of version 4, in whatever case", () => {
  const id = "5f0c954e-38a5-4b4e-8c5a-2f1c9c1d7a10";
  expect(pathJobId(id)).toBe(id);
  expect(pathJobId(id.toUpperCase())).toBe(id);
  for (const other of ["", "x", `${id}0`, id.replace("4b4e", "1b4e"), id.replace("8c5a", "cc5a")]) {
    expect(pathJobId(other)).toBeNull();
  }
});
