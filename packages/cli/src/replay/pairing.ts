/** Two routes to which one request leads: the one that was served, and the candidate's. What is compared of them is compared once. */
import type { ResolvedRoute } from "@gatehouse/core/analysis";
import { carrierOf } from "../diff/authorization.js";
import { alike } from "../diff/canonical.js";
import { notShown, type Aspect, type Pair, type Proof, type Side } from "../diff/model.js";
import { apartOf, judge } from "../diff/rules.js";
import type { Apart } from "../diff/facts.js";

/** Aspects that let pass or refuse. */
export type Asked = Extract<
  Aspect,
  "transport" | "cors" | "authentication" | "csrf" | "limits" | "request" | "authorization"
>;

export class Pairing {
  readonly apart: Apart;
  readonly #pair: Pair;
  readonly #forth = new Map<Asked, Proof>();
  readonly #back = new Map<Asked, Proof>();
  readonly #alike = new Map<string, boolean>();
  readonly #kept = new Map<string, unknown>();

  constructor(
    readonly old: Side,
    readonly fresh: Side,
  ) {
    this.#pair = { old, new: fresh, cells: [], told: { old: [], new: [] } };
    this.apart = apartOf(this.#pair);
  }

  /** Whoever passed this aspect of the policy that served passes the candidate's. */
  passes(aspect: Asked): Proof {
    return this.#proof(this.#forth, aspect, this.old, this.fresh);
  }

  /** Whoever was refused by it is refused by the candidate's. */
  refuses(aspect: Asked): Proof {
    return this.#proof(this.#back, aspect, this.fresh, this.old);
  }

  /** Nothing that it depends on differs: it says the same, in the same words. */
  alike(aspect: Asked | "parameters"): boolean {
    return this.#once(this.#alike, aspect, () =>
      alike(settingsOf(aspect, this.old), settingsOf(aspect, this.fresh)),
    );
  }

  /** What is made of the two routes once, whatever requests come. */
  keep<T>(name: string, make: () => T): T {
    return this.#once(this.#kept as Map<string, T>, name, make);
  }

  #proof(known: Map<Asked, Proof>, aspect: Asked, inner: Side, outer: Side): Proof {
    return this.#once(known, aspect, () => {
      if (aspect === "authorization" && !this.alike(aspect) && [inner, outer].some(stepsUp))
        return notShown("how the caller was authenticated (`stepUp`) is not compared");
      return judge(aspect, inner, outer, this.#pair, true).proof;
    });
  }

  #once<K, T>(known: Map<K, T>, key: K, make: () => T): T {
    const there = known.get(key);
    if (there !== undefined) return there;
    const made = make();
    known.set(key, made);
    return made;
  }
}

function stepsUp({ route }: Side): boolean {
  return JSON.stringify([route.authorize.value, route.require]).includes('"stepUp"');
}

function settingsOf(aspect: Asked | "parameters", side: Side): unknown {
  const { route, analysed } = side;
  const { document, limits, roles, globalLimits } = analysed.policy;
  const { transport, schemas, sanitizing, cors } = document;
  const callers = (): unknown => [
    route.authenticate.mode,
    route.authenticate.anyOf.map((together) =>
      together.map((one) => [one.name, one.settings, carrierOf(one)]),
    ),
  ];
  switch (aspect) {
    case "transport":
      return [transport, route.transport, route.upgrade, route.audience, route.methods];
    case "cors":
      return [route.cors?.value, cors, transport?.trust];
    case "authentication":
      return [callers(), document.revocation, transport?.trust];
    case "csrf":
      return [route.csrf?.value, callers(), route.cors?.value, transport?.trust, route.upgrade];
    case "limits":
      return [
        [...globalLimits, ...route.limits].map(({ value }) => [value, limits.get(value)?.value]),
        [document.store, callers(), parameters(route), route.request.body?.value, schemas, transport?.trust],
      ];
    case "parameters":
      return [parameters(route), schemas];
    case "request":
      return [parameters(route), everything(route), schemas, sanitizing];
    case "authorization":
      return [
        [route.authorize.value, route.require.map(({ value }) => value), route.conceal],
        [callers(), [...roles].map(([role, all]) => [role, [...all].sort()])],
        [parameters(route), everything(route), schemas, sanitizing, transport?.trust],
      ];
  }
}

function parameters({ request, pattern }: ResolvedRoute): unknown {
  const { params, query, headers, cookies, unknown, sniff, operators } = request;
  return [pattern, [params, query, headers, cookies].map((one) => one?.value), unknown, sniff, operators];
}

function everything({ request }: ResolvedRoute): unknown {
  const { body, bodyOptional, types, maxBody, maxDepth, sanitize } = request;
  return [body?.value, bodyOptional, types.value, maxBody, maxDepth, sanitize?.value];
}
