import { readFileSync } from "node:fs";
import type { PolicyDocument } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { DEFAULTS, isEquivalent } from "./equivalence.js";

const policy = {
  gatehouse: 1,
  name: "notes",
  authenticators: {
    key: { type: "api-key", in: "header", name: "X-Key", keys: { secret: "env:KEYS" } },
  },
  roles: { admin: ["clerk"], clerk: ["customer"], customer: [] },
  limits: { few: { limit: 1, window: "1m", by: "client.ip" }, unused: { limit: 1, window: "1m" } },
  schemas: { Note: { type: "object", properties: { id: { type: "string" } } } },
  defaults: { limits: ["few"] },
  groups: { "/admin": { require: { roles: ["admin"] } } },
  routes: {
    "GET /health": { authenticate: "none" },
    "GET /notes/:id": {
      authorize: { roles: ["clerk"] },
      request: { params: { id: { type: "string", format: "uuid" } } },
      response: { body: { $ref: "#/schemas/Note" } },
    },
    "GET /admin/notes": {},
  },
} as const satisfies PolicyDocument;

/** The policy with one place written otherwise; undefined takes it out. */
function with_(path: readonly string[], value: unknown): PolicyDocument {
  const document = structuredClone(policy) as unknown as Record<string, unknown>;
  let place = document;
  for (const name of path.slice(0, -1)) place = (place[name] ??= {}) as Record<string, unknown>;
  const last = path.at(-1) ?? "";
  if (value === undefined) delete place[last];
  else place[last] = value;
  return document as unknown as PolicyDocument;
}

describe("the same policy in other words", () => {
  it.each<[string, readonly string[], unknown]>([
    ["a default written out", ["transport", "https"], "require"],
    ["a redirect of pages, where there are none", ["transport", "https"], "redirect"],
    ["the lifetime of hsts", ["transport", "hsts"], { maxAge: "365d" }],
    ["a limit's default", ["limits", "few", "algorithm"], "sliding-window"],
    ["a limit that nothing takes", ["limits", "unused", "limit"], 2],
    [
      "a role that includes the one that will do",
      ["routes", "GET /notes/:id", "authorize", "roles"],
      ["clerk", "admin"],
    ],
    ["a role included by a way round", ["roles", "admin"], ["clerk", "customer"]],
    ["the type of what has properties, on its way out", ["schemas", "Note", "type"], undefined],
    ["the type of a parameter", ["routes", "GET /notes/:id", "request", "params", "id"], { format: "uuid" }],
    ["anybody who is known, behind a group", ["routes", "GET /admin/notes", "authorize"], "authenticated"],
    ["inherited limits written out", ["routes", "GET /health", "limits"], ["few"]],
  ])("%s", (_name, path, value) => {
    expect(isEquivalent(policy, with_(path, value))).toBe(true);
  });
});

describe("another policy", () => {
  it.each<[string, readonly string[], unknown]>([
    ["plain HTTP", ["transport", "https"], "off"],
    ["a shorter hsts", ["transport", "hsts"], { maxAge: "1d" }],
    ["a limit that is taken", ["limits", "few", "limit"], 2],
    ["a role that will do too", ["routes", "GET /notes/:id", "authorize", "roles"], ["clerk", "customer"]],
    ["a role more included", ["roles", "customer"], ["admin"]],
    ["the type of a text that leaves", ["schemas", "Note", "properties", "id"], {}],
    [
      "a parameter without its format",
      ["routes", "GET /notes/:id", "request", "params", "id"],
      { type: "string" },
    ],
    ["no limits", ["routes", "GET /health", "limits"], []],
    ["a group without demands", ["groups", "/admin"], {}],
  ])("%s", (_name, path, value) => {
    expect(isEquivalent(policy, with_(path, value))).toBe(false);
  });
});

interface Described {
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
}

it("knows no default but the language's own", () => {
  const file = new URL("../../../core/policy.schema.json", import.meta.url);
  const { $defs } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly $defs: Readonly<Record<string, Described>>;
  };
  for (const { of, values } of DEFAULTS)
    for (const [name, value] of Object.entries(values)) {
      const text = $defs[of]?.properties[name]?.description ?? "";
      expect([of, name, text]).toEqual([
        of,
        name,
        expect.stringMatching(new RegExp(`Default \`?${String(value).replace("+", "\\+")}\\b`)),
      ]);
    }
});
