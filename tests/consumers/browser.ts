import { createEngine, type Decision } from "@gatehouse/core";
import { guard } from "@gatehouse/fetch";

export async function decide(): Promise<Decision["outcome"]> {
  const engine = await createEngine({ gatehouse: 1, name: "consumer", routes: {} });
  return (await engine.evaluate({ method: "GET", target: "/", headers: [["Host", "a.example"]] })).outcome;
}

export async function serve(): Promise<(request: Request) => Promise<Response>> {
  const engine = await createEngine({ gatehouse: 1, name: "consumer", routes: {} });
  return guard(engine, (_request, { send }) => send({ ok: true }));
}
