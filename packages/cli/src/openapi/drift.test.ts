/** A policy against descriptions that differ from it in one thing each. */
import type { PolicyDocument } from "@gatehouse/core";
import { describe, expect, it } from "vitest";
import { describePolicy } from "./describe.js";
import { driftOf } from "./drift.js";

const policy: PolicyDocument = {
  gatehouse: 1,
  name: "shop",
  authenticators: {
    user: {
      type: "jwt",
      issuer: "https://id.example.com/",
      audience: "shop",
      algorithms: ["ES256"],
      keys: { pem: { secret: "env:PEM" } },
    },
  },
  schemas: {
    Node: { type: "object", properties: { value: { type: "integer" }, next: { $ref: "#/schemas/Node" } } },
    Order: { type: "object", properties: { id: { type: "string" }, note: { type: "string" } } },
  },
  routes: {
    "GET /health": { authenticate: "none" },
    "GET /nodes": { authorize: "authenticated", response: { body: { $ref: "#/schemas/Node" } } },
    "POST /orders/:id": {
      authorize: { scopes: ["write"] },
      request: {
        query: { dry: { type: "boolean" } },
        body: {
          type: "object",
          required: ["sku"],
          properties: { sku: { type: "string", maxLength: 20 }, kind: { enum: ["a", "b"] } },
        },
      },
      response: { body: { $ref: "#/schemas/Order" } },
    },
  },
};

type Node = Record<string, unknown>;

/** What a description says, changed at one place. */
async function drift(
  path: readonly string[],
  change: (parent: Node, key: string) => void,
): Promise<readonly string[]> {
  const description = structuredClone(describePolicy(policy)) as Node;
  let parent = description;
  for (const key of path.slice(0, -1)) parent = parent[key] as Node;
  change(parent, path.at(-1) ?? "");
  const { drifts } = await driftOf(policy, JSON.stringify(description));
  return drifts.map(({ direction, route, aspect, message }) => `${direction} ${route} ${aspect}: ${message}`);
}

const set =
  (value: unknown) =>
  (parent: Node, key: string): void => {
    parent[key] = value;
  };
const remove = (parent: Node, key: string): void => {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
};

const ORDER = ["paths", "/orders/{id}", "post"];
const BODY = [...ORDER, "requestBody", "content", "application/json", "schema"];
const R = "POST /orders/:id";

describe("a description that differs in one thing", () => {
  it("is none where it is the policy's own", async () => {
    expect(await drift(["info", "version"], set("2"))).toEqual([]);
  });

  it.each([
    [
      "lacks a route",
      ["paths", "/health"],
      remove,
      "looser GET /health route: the policy serves it, and it is not described",
    ],
    [
      "has a route more",
      ["paths", "/x"],
      set({ get: { security: [] } }),
      "stricter GET /x route: it is described, and no route of the policy: it is refused (404 or 405)",
    ],
    ["has an extension more", [...ORDER, "x-note"], set(1), undefined],
    [
      "opens a route",
      [...ORDER, "security"],
      set([]),
      `stricter ${R} security: callers with nothing are described, and not let in`,
    ],
    [
      "closes a route",
      ["paths", "/health", "get", "security"],
      set([{ user: [] }]),
      "looser GET /health security: callers with nothing are let in, and not described",
    ],
    [
      "does not say who may call",
      [...ORDER, "security"],
      remove,
      `unknown ${R} security: the description does not say who may call`,
    ],
    [
      "asks a scope less",
      [...ORDER, "security"],
      set([{ user: [] }]),
      `stricter ${R} security: callers with a bearer token need the scope \`write\` by the policy alone`,
    ],
    [
      "asks a scope more",
      [...ORDER, "security"],
      set([{ user: ["write", "pay"] }]),
      `looser ${R} security: callers with a bearer token need the scope \`pay\` by the description alone`,
    ],
    [
      "has a parameter more",
      [...ORDER, "parameters", "2"],
      set({ name: "q", in: "query", schema: { type: "string" } }),
      `stricter ${R} parameter: the query parameter \`q\` is refused: the policy does not know it`,
    ],
    [
      "has a header more",
      [...ORDER, "parameters", "2"],
      set({ name: "X-A", in: "header", schema: { type: "string" } }),
      `looser ${R} parameter: the header parameter \`X-A\` is not held to its schema`,
    ],
    [
      "lacks a parameter",
      [...ORDER, "parameters", "1"],
      remove,
      `looser ${R} parameter: the query parameter \`dry\` is not described, and the policy takes it`,
    ],
    [
      "requires a parameter",
      [...ORDER, "parameters", "1", "required"],
      set(true),
      `looser ${R} parameter: the query parameter \`dry\` is required by the description alone`,
    ],
    [
      "has another type",
      [...ORDER, "parameters", "1", "schema", "type"],
      set("string"),
      `looser ${R} parameter: the query parameter \`dry\`: the policy takes \`boolean\` too`,
    ],
    [
      "has no content",
      [...ORDER, "requestBody"],
      remove,
      `stricter ${R} body: the policy requires content, and none is described`,
    ],
    [
      "has optional content",
      [...ORDER, "requestBody", "required"],
      remove,
      `stricter ${R} body: content is required by the policy alone`,
    ],
    [
      "takes another type of content",
      [...ORDER, "requestBody", "content", "text/csv"],
      set({}),
      `stricter ${R} body: content of the type \`text/csv\` is refused`,
    ],
    [
      "allows longer texts",
      [...BODY, "properties", "sku", "maxLength"],
      set(50),
      `stricter ${R} body: content, at \`/sku\`: \`maxLength\` is 20 in the policy, 50 in the description`,
    ],
    [
      "has no bound",
      [...BODY, "properties", "sku", "maxLength"],
      remove,
      `stricter ${R} body: content, at \`/sku\`: \`maxLength\` is 20 in the policy, nothing in the description`,
    ],
    [
      "has a bound more",
      [...BODY, "properties", "sku", "minLength"],
      set(3),
      `looser ${R} body: content, at \`/sku\`: \`minLength\` is nothing in the policy, 3 in the description`,
    ],
    [
      "has a pattern",
      [...BODY, "properties", "sku", "pattern"],
      set("^a$"),
      `looser ${R} body: content, at \`/sku\`: \`pattern\` stands in the description alone`,
    ],
    [
      "requires nothing",
      [...BODY, "required"],
      remove,
      `stricter ${R} body: content, at \`/sku\`: the policy requires it`,
    ],
    [
      "has a member more",
      [...BODY, "properties", "extra"],
      set({ type: "string" }),
      `stricter ${R} body: content, at \`/extra\`: the policy does not know it`,
    ],
    [
      "allows any member",
      [...BODY, "additionalProperties"],
      set(true),
      `stricter ${R} body: content: the description allows members of any name`,
    ],
    [
      "has a value more",
      [...BODY, "properties", "kind", "enum"],
      set(["a", "b", "c"]),
      `stricter ${R} body: content, at \`/kind\`: the policy leaves out a value of \`enum\``,
    ],
    [
      "has a value less",
      [...BODY, "properties", "kind", "enum"],
      set(["a"]),
      `looser ${R} body: content, at \`/kind\`: the policy has a value of \`enum\` more`,
    ],
    [
      "is composed",
      [...BODY, "not"],
      set({ required: ["x"] }),
      `unknown ${R} body: content: schemas with \`not\` are not compared, and these differ`,
    ],
    [
      "promises a member that is withheld",
      ["components", "schemas", "Order", "properties", "total"],
      set({ type: "number" }),
      `stricter ${R} answer: the answer of 2xx, at \`/total\`: the policy withholds it`,
    ],
    [
      "does not have a member that leaves",
      ["components", "schemas", "Order", "properties", "note"],
      remove,
      `looser ${R} answer: the answer of 2xx, at \`/note\`: it leaves, and is not described`,
    ],
    [
      "has a circle that differs",
      ["components", "schemas", "Node", "properties", "value", "type"],
      set("string"),
      "stricter GET /nodes answer: the answer of 2xx, at `/value`: the policy does not take `string`",
    ],
    [
      "describes an answer that nobody holds to it",
      ["paths", "/health", "get", "responses", "200"],
      set({ description: "d", content: { "application/json": { schema: { type: "object" } } } }),
      "looser GET /health answer: answers of 200 leave as the handler writes them",
    ],
  ] as const)("%s", async (_name, path, change, expected) => {
    const found = await drift(path, change);
    if (expected === undefined) expect(found).toEqual([]);
    else expect(found).toContain(expected);
  });

  it("tells parameters of a path by their place, not their name", async () => {
    const text = JSON.stringify(describePolicy(policy))
      .replaceAll("{id}", "{orderId}")
      .replaceAll('"name":"id","in":"path"', '"name":"orderId","in":"path"');
    expect(text).toContain("/orders/{orderId}");
    expect((await driftOf(policy, text)).drifts).toEqual([]);
  });
});
