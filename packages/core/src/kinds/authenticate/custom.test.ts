import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sha256Hex } from "../../conformance/keys.js";
import type { CustomAuthenticator } from "../../ports/application.js";
import { compiled, summary, type Compiled } from "./authenticate.test-support.js";
import { DEADLINE_MS } from "./deadline.js";

afterEach(() => vi.useRealTimers());

async function withCode(
  code: CustomAuthenticator,
  settings: Record<string, unknown> = {},
): Promise<Compiled> {
  const kind = await compiled(
    {
      roles: { admin: ["clerk"], clerk: [] },
      authenticators: { own: { type: "custom", use: "verify", in: "header", name: "X-Ticket", ...settings } },
      routes: {
        "GET /": { authorize: "authenticated" },
        "GET /optional": { authenticate: ["optional", "own"], authorize: "anyone" },
      },
    },
    { authenticators: { verify: code } },
  );
  expect(kind.diagnostics).toEqual([]);
  return kind;
}

const ticket = (value: string): { headerFields: Record<string, string> } => ({
  headerFields: { "x-ticket": value, accept: "a" },
});
const answering = (answer: unknown): CustomAuthenticator => (() => answer) as unknown as CustomAuthenticator;

describe("custom", () => {
  it("hands over the credential and the request, and takes the principal", async () => {
    const seen: Parameters<CustomAuthenticator>[0][] = [];
    const claims = { org: { id: 7 }, plan: null };
    const kind = await withCode(
      (input) => {
        seen.push(input);
        return { principal: { id: "ann", roles: ["admin", "ghost"], scopes: ["s"], claims } };
      },
      { principal: { tenant: "org.id", plan: "plan" } },
    );
    const { identity, synchronous, state } = await kind.run("GET /", ticket("t1"));
    expect(synchronous).toBe(true);
    expect(identity?.principal).toEqual({
      id: "ann",
      roles: ["admin", "clerk"],
      scopes: ["s"],
      claims,
      authenticator: "own",
      tenant: 7,
    });
    expect(state.reports).toEqual(["dropped 1 of the roles from `own`: `roles` does not declare them"]);
    expect(
      seen.map(({ credential, method, path, clientIp, headers }) => ({
        credential,
        method,
        path,
        clientIp,
        headers: { ...headers },
      })),
    ).toEqual([
      {
        credential: "t1",
        method: "GET",
        path: "/",
        clientIp: "127.0.0.1",
        headers: { "x-ticket": "t1", accept: "a" },
      },
    ]);
    // The application's own object is neither frozen nor shared.
    claims.org.id = 8;
    expect(identity?.principal["tenant"]).toBe(7);
    expect(identity?.principal.claims).toEqual({ org: { id: 7 }, plan: null });
  });

  it("reads id, roles and scopes from the claims where the map says so", async () => {
    const principal = { id: "x", roles: ["admin"], claims: { uid: "u", groups: "clerk", scp: "a b" } };
    const kind = await withCode(() => ({ principal }), {
      principal: { id: "uid", roles: "groups", scopes: "scp" },
    });
    const { identity } = await kind.run("GET /", ticket("t"));
    expect([identity?.principal.id, identity?.principal.roles, identity?.principal.scopes]).toEqual([
      "u",
      ["clerk"],
      ["a", "b"],
    ]);
  });

  it("is not called without its carrier, and cuts the scheme from `Authorization`", async () => {
    const credentials: string[] = [];
    const kind = await withCode(
      ({ credential }) => {
        credentials.push(credential);
        return "bad";
      },
      { name: "Authorization", scheme: "Ticket" },
    );
    const values = ["ticket abc", "Bearer abc", "Ticket"];
    const verdicts: string[] = [];
    for (const authorization of values)
      verdicts.push(summary(await kind.run("GET /", { headerFields: { authorization } })));
    expect(verdicts).toEqual(["invalid-credential", "invalid-credential", "invalid-credential"]);
    expect(summary(await kind.run("GET /"))).toBe("unauthenticated");
    expect(credentials).toEqual(["abc", ""]);
    expect(
      summary(await kind.run("GET /", { headerFields: { authorization: `Ticket ${"x".repeat(8193)}` } })),
    ).toBe("invalid-credential");
    expect(credentials).toHaveLength(2);
  });

  it("knows absent from bad", async () => {
    const absent = await withCode(() => "absent");
    const bad = await withCode(() => Promise.resolve("bad" as const));
    const verdicts: string[] = [];
    for (const kind of [absent, bad]) {
      for (const route of ["GET /", "GET /optional"])
        verdicts.push(summary(await kind.run(route, ticket("t"))));
    }
    expect(verdicts).toEqual(["unauthenticated", "anonymous", "invalid-credential", "invalid-credential"]);
  });

  it("waits for what is no instance of Promise", async () => {
    const later = await withCode(answering(runInNewContext("Promise.resolve({ principal: { id: 'ann' } })")));
    expect((await later.run("GET /", ticket("t"))).identity?.principal.id).toBe("ann");
  });

  it("fault_never_admits: everything else is a fault", async () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const wrong = [
      undefined,
      null,
      true,
      "",
      "ok",
      {},
      [],
      { principal: null },
      { principal: "ann" },
      { principal: {} },
      { principal: { id: "" } },
      { principal: { id: 1 } },
      { principal: { id: "a", roles: [1] } },
      { principal: { id: "a", scopes: {} } },
      { principal: { id: "a", claims: [] } },
      { principal: { id: "a", claims: { f: () => 1 } } },
      { principal: { id: "a", claims: circle } },
    ];
    for (const answer of wrong) {
      for (const given of [answer, Promise.resolve(answer)]) {
        const outcome = await (await withCode(answering(given))).run("GET /optional", ticket("t"));
        expect([summary(outcome), outcome.identity]).toEqual(["fault", undefined]);
      }
    }
  });

  it("turns a throw into a fault of code, and lateness into one of outside", async () => {
    const error = new Error("broken");
    const fault = {
      kind: "fault",
      where: "code",
      reason: "authenticator `verify` threw",
      rule: "/authenticators/own",
      error,
    };
    const throwing = await withCode(() => {
      throw error;
    });
    expect((await throwing.run("GET /", ticket("t"))).verdict).toEqual(fault);
    const rejecting = await withCode(() => Promise.reject(error));
    expect((await rejecting.run("GET /", ticket("t"))).verdict).toEqual(fault);

    vi.useFakeTimers();
    let signal: AbortSignal | undefined;
    const late = await withCode((input) => {
      ({ signal } = input);
      return new Promise(() => {});
    });
    const running = late.run("GET /", ticket("t"));
    await vi.advanceTimersByTimeAsync(DEADLINE_MS - 1);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await running).verdict).toEqual({
      kind: "fault",
      where: "outside",
      reason: "authenticator `verify` took longer than 2000 ms",
      rule: "/authenticators/own",
    });
    expect(signal?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("fault_never_admits: a good or missing credential elsewhere does not stand in for one that nobody could judge", async () => {
    const partner = {
      type: "api-key",
      in: "header",
      name: "X-Key",
      keys: [{ id: "p", sha256: sha256Hex("key") }],
    };
    const kind = await compiled(
      {
        authenticators: { own: { type: "custom", use: "verify", in: "header", name: "X-Ticket" }, partner },
        routes: { "GET /": { authenticate: ["optional", "partner", "own"], authorize: "anyone" } },
      },
      { authenticators: { verify: answering("nonsense") } },
    );
    const verdicts: string[] = [];
    for (const key of [undefined, "key", "wrong"]) {
      const { headerFields } = ticket("t");
      const outcome = await kind.run("GET /", {
        headerFields: key === undefined ? headerFields : { ...headerFields, "x-key": key },
      });
      expect(outcome.identity).toBeUndefined();
      verdicts.push(summary(outcome));
    }
    expect(verdicts).toEqual(["fault", "fault", "invalid-credential"]);
  });

  it("tells the code when the client is gone", async () => {
    const client = new AbortController();
    let signal: AbortSignal | undefined;
    const kind = await withCode((input) => {
      ({ signal } = input);
      return "bad";
    });
    await kind.run("GET /", { ...ticket("t"), signal: client.signal });
    client.abort();
    expect(signal?.aborted).toBe(true);
  });
});
