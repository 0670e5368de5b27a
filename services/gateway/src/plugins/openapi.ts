import swagger from "@fastify/swagger";
import { VERSION } from "@longhaul/runtime";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import type { App } from "./app.ts";
import { withProblems } from "./openapi-problems.ts";

/** `GET /openapi.json`: OpenAPI 3.1, made from the zod schemas that the routes are checked with. */
export async function openapi(app: App, publicUrl: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Longhaul",
        version: VERSION,
        description: "Long-running downloads: ask, get a job at once, follow it live, fetch the result.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: publicUrl === "" ? "/" : publicUrl }],
      tags: [
        { name: "downloads", description: "Jobs and their results" },
        { name: "admin", description: "For those who run the service" },
      ],
    },
    transform: jsonSchemaTransform,
  });
  let document: string | undefined;
  app.get("/openapi.json", { schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(withProblems(app.swagger()));
    return reply
      .header("content-type", "application/json; charset=utf-8")
      .header("cache-control", "no-cache")
      .send(document);
  });
}
