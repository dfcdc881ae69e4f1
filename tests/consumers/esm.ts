import { createServer } from "node:http";
import {
  checkPolicy,
  createEngine,
  definePolicy,
  type Decision,
  type Engine,
  type EngineOptions,
} from "@gatehouse/core";
import { expectRefused, policyKit, type TestReport } from "@gatehouse/core/testing";
import { guard } from "@gatehouse/node-http";

const options: EngineOptions = { secrets: { get: () => undefined } };
const policy = definePolicy({
  gatehouse: 1,
  name: "consumer",
  routes: { "GET /health": { authenticate: "none" } },
});
const engine: Engine = await createEngine(policy, options);
const decision: Decision = await engine.evaluate({
  method: "GET",
  target: "/health",
  headers: [["Host", "a.example"]],
});
export const said: string = decision.outcome;
export const problems: number = checkPolicy(policy).length;
const kit = await policyKit(policy, { people: {} });
expectRefused(await kit.anonymous.post("/none", { a: 1 }), { status: 404 });
export const failures = (report: TestReport): readonly string[] =>
  report.tests.flatMap(({ failures }) => failures.map(({ message }) => message));

export const server = createServer(guard(engine, (_request, response) => void response.end("ok")));

// @ts-expect-error the language has no such key: a typo must not type-check
definePolicy({ gatehouse: 1, name: "typo", rutes: {} });
