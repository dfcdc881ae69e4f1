import { createEngine, type Decision } from "@gatehouse/core";

export async function decide(): Promise<Decision["outcome"]> {
  const engine = await createEngine({ gatehouse: 1, name: "consumer", routes: {} });
  return (await engine.evaluate({ method: "GET", target: "/", headers: [["Host", "a.example"]] })).outcome;
}
