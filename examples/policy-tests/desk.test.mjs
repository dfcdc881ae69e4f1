/** What must never be, put as a search: each statement is tried with hundreds of requests, and a smallest counterexample is shown. */
import { test } from "node:test";
import fc from "fast-check";
import { expectAdmitted, policyKit } from "@gatehouse/core/testing";
import { never } from "@gatehouse/core/testing/properties";

const policy = "gatehouse.policy.jsonc";

const isCustomer = (person) => person?.roles?.every((role) => role === "customer") === true;

for (const statement of [
  "anonymous reaches /tenants/*",
  "anyone without role customer reaches POST /tenants/*",
  "anyone without role lead reaches DELETE /tenants/*",
])
  test(`never: ${statement}`, () => never(policy, statement, { fc, runs: 60 }));

test("never: a customer reaches what is another tenant's", () =>
  never(
    policy,
    {
      who: (person) => isCustomer(person) && person.attributes?.tenant !== "acme",
      reaches: "/tenants/acme/*",
    },
    { fc, runs: 60 },
  ));

/** A table is shorter in code than in data. */
test("what leaves of a ticket is the same for everybody who may read it", async (t) => {
  const kit = await policyKit(policy, {
    people: {
      cora: { roles: ["customer"], attributes: { tenant: "acme" } },
      alma: { roles: ["agent"] },
      lea: { roles: ["lead"] },
    },
  });
  t.after(() => kit.close());
  const ticket = { id: "7", subject: "no light", note: "angry", assignee: "alma" };
  for (const name of ["cora", "alma", "lea"]) {
    const result = await kit.as(name).answering({ body: ticket }).get("/tenants/acme/tickets/7");
    expectAdmitted(result, { body: { id: "7", subject: "no light" } });
  }
});
