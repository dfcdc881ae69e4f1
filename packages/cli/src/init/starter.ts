/** What `gatehouse init` writes: a small policy that is meant to be kept, and the tests that hold it to its word. */
import { POLICY_FILES } from "../lib/policy-name.js";

export interface StarterFile {
  readonly name: string;
  readonly text: string;
}

const [POLICY_FILE] = POLICY_FILES;
export const TEST_FILE = "gatehouse.policy-test.json";

const POLICY = `// Who may call this API, how often, with what, and what may leave in the answer.
//
//   npx gatehouse check     is this a policy that can be served?
//   npx gatehouse test      does it do what ${TEST_FILE} says?
//   npx gatehouse audit     what does it leave open?
//   npx gatehouse matrix    who may call what?
//
// What is not written here is refused: a route that stands nowhere, a caller that nobody knows, a member that no schema
// names. Comments and trailing commas are fine.
{
  "$schema": "./node_modules/@gatehouse/core/policy.schema.json",
  "gatehouse": 1,
  "name": "notes-api",

  "transport": {
    // Plain HTTP is refused. On your own machine, without TLS, write "off"; \`gatehouse audit\` reminds you of it.
    "https": "require",
    // The names under which this API is reached; a request for any other is refused.
    "hosts": ["api.example.com"],
    // Behind a proxy or load balancer, say whose word about the caller's address is believed:
    // "trust": { "peers": ["10.0.0.0/8"], "header": "x-forwarded-for" },
  },

  "authenticators": {
    // Tokens of your identity provider. Write its values: issuer, audience, algorithm.
    "user": {
      "type": "jwt",
      "issuer": "https://id.example.com/",
      "audience": "notes-api",
      "algorithms": ["ES256"],
      // No key stands in a policy. This one is the provider's public key, as PEM, in an environment variable. With
      // { "discovery": "openid" } the provider's own are fetched. The tests need neither: they bring throwaway keys.
      "keys": { "pem": { "secret": "env:TOKEN_PUBLIC_KEY" } },
      // A stolen token is good for an hour, whatever it says of itself.
      "maxAge": "1h",
      // Which claims say who the caller is.
      "principal": { "id": "sub", "roles": "roles" },
    },
  },

  // Every role that there is, with the roles that it includes: an admin may do what a member may.
  "roles": { "admin": ["member"], "member": [] },

  "limits": {
    // For everything that arrives, also what is refused.
    "flood": { "limit": 600, "window": "1m", "by": "client.ip", "reveal": false },
    // For each caller who is known.
    "per-user": { "limit": 100, "window": "1m", "by": "principal.id" },
  },

  "schemas": {
    // What may come in: each text with a bound.
    "NewNote": {
      "type": "object",
      "required": ["title"],
      "properties": {
        "title": { "type": "string", "minLength": 1, "maxLength": 200 },
        "text": { "type": "string", "maxLength": 10000 },
      },
    },
    // What may leave: a member that your code adds and this schema does not name stays inside.
    "Note": {
      "type": "object",
      "properties": {
        "id": { "type": "string" },
        "title": { "type": "string" },
        "text": { "type": "string" },
        "createdAt": { "type": "string", "format": "date-time" },
      },
    },
  },

  "global": { "limits": ["flood"] },

  // What holds for a route that says nothing else.
  "defaults": { "authenticate": ["user"], "limits": ["per-user"] },

  "groups": {
    // Nothing replaces this: whatever a route below /admin says, its callers are admins.
    "/admin": { "require": { "roles": ["admin"] } },
  },

  "routes": {
    // Open to everybody, and that is said: a probe that may come over plain HTTP and under any host.
    "GET /health": { "authenticate": "none", "transport": "any", "response": false },

    "GET /notes": {
      "authorize": { "roles": ["member"] },
      "request": { "query": { "limit": { "type": "integer", "minimum": 1, "maximum": 100, "default": 20 } } },
      "response": { "body": { "type": "array", "items": { "$ref": "#/schemas/Note" } } },
    },

    "POST /notes": {
      "authorize": { "roles": ["member"] },
      "request": { "body": { "$ref": "#/schemas/NewNote" }, "maxBody": "64kB" },
      "response": { "body": { "$ref": "#/schemas/Note" } },
    },

    // A role is not enough where an id stands in the path: whose note is it? Your code answers, as the check
    // "ownsNote" that you hand to createEngine. An admin reads every note; for everybody else, somebody else's note does
    // not exist (404).
    "GET /notes/:id": {
      "authorize": [{ "roles": ["admin"] }, { "roles": ["member"], "check": "ownsNote" }],
      "conceal": true,
      "request": { "params": { "id": { "type": "string", "format": "uuid" } } },
      "response": { "body": { "$ref": "#/schemas/Note" } },
    },

    "DELETE /notes/:id": {
      "authorize": { "roles": ["member"], "check": "ownsNote" },
      "conceal": true,
      "request": { "params": { "id": { "type": "string", "format": "uuid" } } },
      "response": false,
    },

    "GET /admin/stats": {
      "response": { "body": { "type": "object", "properties": { "notes": { "type": "integer" } } } },
    },
  },
}
`;

const NOTE = "3f2b8c1e-9d4a-4f6b-8a7c-1e2d3c4b5a69";

const TESTS = `// Run with: npx gatehouse test
// No server, no network, no real key: people get throwaway credentials, and the clock is the test's.
{
  "$schema": "./node_modules/@gatehouse/core/policy-test.schema.json",
  "policy": "${POLICY_FILE}",

  "people": {
    "ann": { "roles": ["member"] },
    "root": { "roles": ["admin"] },
    "guest": { "about": "known, and has no role" },
    "mallory": { "roles": ["admin"], "forged": true },
  },

  // What your code would answer: the note belongs to ann.
  "checks": { "ownsNote": [{ "principal": "ann", "params": { "id": "${NOTE}" } }] },

  "tests": [
    {
      "name": "everybody may ask whether the API lives",
      "request": "GET /health",
      "expect": { "outcome": "admit", "status": 204 },
    },
    {
      "name": "a route that stands nowhere is refused",
      "as": "root",
      "request": "GET /nowhere",
      "expect": { "status": 404, "code": "not-found" },
    },
    {
      "name": "without a credential there are no notes",
      "request": "GET /notes",
      "expect": { "status": 401, "code": "unauthenticated" },
    },
    {
      "name": "a forged token is refused",
      "as": "mallory",
      "request": "GET /admin/stats",
      "expect": { "status": 401, "code": "invalid-credential" },
    },
    {
      "name": "to be known is not to be allowed",
      "as": "guest",
      "request": "GET /notes",
      "expect": { "stage": "authorize", "status": 403, "code": "forbidden" },
    },
    {
      "name": "a member lists notes, and only declared members leave",
      "as": "ann",
      "request": "GET /notes?limit=5",
      "answer": { "body": [{ "id": "${NOTE}", "title": "milk", "passwordHash": "s3cret" }] },
      "expect": {
        "outcome": "admit",
        "status": 200,
        "body": [{ "id": "${NOTE}", "title": "milk" }],
        "withheld": ["s3cret"],
        "handler": { "query": { "limit": 5 } },
      },
    },
    {
      "name": "a note needs a title, and has no members that nobody named",
      "as": "ann",
      "request": { "method": "POST", "target": "/notes", "body": { "isAdmin": true } },
      "expect": { "stage": "validate", "status": 422, "code": "invalid-body" },
    },
    {
      "name": "a member writes a note",
      "as": "ann",
      "request": { "method": "POST", "target": "/notes", "body": { "title": "milk" } },
      "answer": { "status": 201, "body": { "id": "${NOTE}", "title": "milk" } },
      "expect": { "outcome": "admit", "status": 201 },
    },
    {
      "name": "ann reads her own note",
      "as": "ann",
      "request": "GET /notes/${NOTE}",
      "expect": { "outcome": "admit" },
    },
    {
      "name": "somebody else's note does not exist",
      "as": "ann",
      "request": "GET /notes/00000000-0000-4000-8000-000000000000",
      "expect": { "status": 404, "concealed": true },
    },
    {
      "name": "an admin reads every note",
      "as": "root",
      "request": "GET /notes/00000000-0000-4000-8000-000000000000",
      "expect": { "outcome": "admit" },
    },
    {
      "name": "only the owner deletes",
      "as": "root",
      "request": "DELETE /notes/${NOTE}",
      "expect": { "status": 404, "concealed": true },
    },
    {
      "name": "below /admin everybody is an admin",
      "as": "ann",
      "request": "GET /admin/stats",
      "expect": { "status": 403, "code": "forbidden" },
    },
    {
      "name": "a hundred requests a minute are enough for anybody",
      "steps": [
        { "as": "ann", "request": "GET /notes", "repeat": 100, "expect": { "outcome": "admit" } },
        { "as": "ann", "request": "GET /notes", "expect": { "status": 429, "code": "rate-limited" } },
        { "wait": "66s", "as": "ann", "request": "GET /notes", "expect": { "outcome": "admit" } },
      ],
    },
  ],
}
`;

/** The policy first. */
export const STARTER: readonly [StarterFile, StarterFile] = [
  { name: POLICY_FILE, text: POLICY },
  { name: TEST_FILE, text: TESTS },
];
