import { expect, test } from "vitest";
import { originAllowed } from "./cors.ts";

test("sockets are for allowed origins, pages of our own host, and what is no browser", () => {
  const allowed = ["https://app.example"];
  expect(originAllowed(undefined, "api.example", allowed)).toBe(true);
  expect(originAllowed("https://app.example", "api.example", allowed)).toBe(true);
  expect(originAllowed("https://api.example", "api.example", allowed)).toBe(true);
  expect(originAllowed("https://evil.example", "api.example", allowed)).toBe(false);
  expect(originAllowed("https://app.example.evil.example", "api.example", allowed)).toBe(false);
  expect(originAllowed("null", "api.example", allowed)).toBe(false);
});
