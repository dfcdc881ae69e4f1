/** Changes that somebody might make, and the step of the workflow at which each is stopped. */

const POLICY = "gatehouse.policy.jsonc";
const TESTS = "desk.policy-test.json";

/** The body of a step that asks as somebody for something, up to the end of what is expected. */
const asked = (name, request) =>
  new RegExp(String.raw`\{\s*"as": "${name}",\s*"request": "${request}",\s*"expect": \{[^}]*\},?\s*\}`, "u");

/** A ticket that is none of the caller's business is told of with 403, and the tests agree. */
const tells = ({ edit }) => {
  edit(POLICY, /\s*"conceal": true,/u, "");
  for (const name of ["otto", "guest"])
    edit(
      TESTS,
      asked(name, "GET /tenants/acme/tickets/7"),
      `{ "as": "${name}", "request": "GET /tenants/acme/tickets/7", "expect": { "code": "forbidden" } }`,
    );
};

const closedByAgents = ({ edit }) =>
  edit(POLICY, '"authorize": { "roles": ["lead"] }', '"authorize": { "roles": ["agent"] }');

/**
 * `stops`: the step that must fail, the steps before it being good; `says`: what stands in its output. Without it nothing may fail.
 * `labels` are those of the pull request.
 */
export const PLANTED = [
  { name: "the project as it is", change: () => undefined },
  {
    name: "a misspelt key",
    change: ({ edit }) => edit(POLICY, '"conceal"', '"concael"'),
    stops: "check",
    says: "did you mean `conceal`?",
  },
  {
    name: "a route that is opened",
    change: ({ edit }) =>
      edit(POLICY, '"authorize": { "roles": ["lead"] }', '"authenticate": "none", "limits": []'),
    stops: "test",
    says: 'code: expected "unauthenticated", got nothing',
  },
  {
    name: "a role that may do more",
    change: closedByAgents,
    stops: "test",
    says: "as alma: DELETE /tenants/acme/tickets/7",
  },
  {
    name: "a route without a test",
    change: ({ edit }) =>
      edit(
        POLICY,
        '"routes": {',
        '"routes": {\n    "GET /reports": { "authorize": { "roles": ["lead"] }, "response": false },',
      ),
    stops: "test",
    says: "less than 100 %",
  },
  {
    name: "a role that may do more, with the tests made to agree",
    change: ({ edit }) => {
      closedByAgents({ edit });
      edit(
        TESTS,
        asked("alma", "DELETE /tenants/acme/tickets/7"),
        '{ "as": "alma", "request": "DELETE /tenants/acme/tickets/7", "expect": { "outcome": "admit" } }',
      );
    },
    stops: "invariants",
    says: "never: anyone without role lead reaches DELETE /tenants/*",
  },
  {
    name: "access that changed, and the reviewed table did not",
    change: tells,
    stops: "matrix",
    says: "GET /tenants/:tenant/tickets/:id",
  },
  {
    name: "a table that was edited by hand",
    change: ({ edit }) => edit("access.md", "allow if", "403 forbidden if"),
    stops: "matrix",
    says: "POST /tenants/:tenant/tickets",
  },
  {
    name: "a finding that nobody accepted",
    change: ({ edit }) => edit("accepted.json", "DELETE ~1tenants", "PUT ~1tenants"),
    stops: "audit",
    says: "medium[object-without-condition]",
  },
  {
    name: "an acceptance that has run out",
    change: ({ edit, day }) =>
      edit("accepted.json", /"expires": "[^"]+"(?=\s*\}\s*\])/u, `"expires": "${day(-1)}"`),
    stops: "audit",
    says: "expired on",
  },
  {
    name: "an acceptance without a reason",
    change: ({ edit }) => edit("accepted.json", /"reason": "A lead[^"]*",\s*/u, ""),
    stops: "audit",
    says: "reason",
  },
  {
    name: "callers who get further, with tests and table made to agree",
    change: (project) => {
      tells(project);
      project.review();
    },
    stops: "diff",
    says: "wider",
  },
  {
    name: "the same where a reviewer allowed it, and tests that no longer look at what leaves",
    change: (project) => {
      tells(project);
      project.review();
      project.edit(TESTS, /(?<="expect": \{[^}]*),\s*"body": \{[^}]*\}(, "withheld": \[[^\]]*\])?/gu, "");
    },
    labels: ["wider-policy"],
    stops: "mutation",
    says: "less than 95 %",
  },
];
