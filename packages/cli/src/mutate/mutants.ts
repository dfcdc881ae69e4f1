/** All mutants of a policy. docs/cli.md lists the operators. */
import type { PolicyDocument } from "@gatehouse/core";
import { isList, isRecord } from "../lib/json.js";
import { corsOf, eventsOf } from "../coverage/points.js";
import { routesOf } from "../lib/routes.js";
import { segmentsOf } from "../lib/pointer.js";
import { conditionMutants } from "./conditions.js";
import { drop, mutated, pointerTo, set, shown, type Mutant } from "./mutant.js";
import { canonical } from "./equivalence.js";
import { schemaMutants } from "./schemas.js";
import { answersIn } from "./sides.js";

export function mutantsOf(policy: PolicyDocument): readonly Mutant[] {
  const found = [
    ...new Walk(policy).all(),
    ...routeMutants(policy),
    ...corsMutants(policy),
    ...trustMutants(policy),
    ...roleMutants(policy),
  ];
  // Two ways to the same policy are one mutant, and the policy itself is none.
  const seen = new Set([canonical(policy)]);
  return found.filter((mutant) => {
    const text = canonical(mutated(policy, mutant));
    return !seen.has(text) && seen.add(text);
  });
}

/** Say nothing, or name what is the environment's, which no test of a policy sees. */
const SILENT = new Set([
  "$schema",
  "gatehouse",
  "name",
  "description",
  "keys",
  "redaction",
  "store",
  "record",
  "revision",
]);
const CONDITIONS = new Set(["when", "forbid"]);
const SCHEMA_MAPS = new Set(["params", "query", "headers", "cookies", "bodies"]);

/** Words that stand for one another. The first that a setting is turned to is the one that admits more. */
const CHOICES: readonly (readonly [at: RegExp, others: readonly unknown[]])[] = [
  [/^\/transport\/https$/u, ["off", "redirect", "require"]],
  [/\/unknown$/u, ["allow", "strip", "reject", "refuse"]],
  [/\/csrf$/u, ["off"]],
  [/\/mode$/u, ["observe", "enforce"]],
  [/^\/(?:defaults|groups\/[^/]+|routes\/[^/]+)\/shed$/u, ["never", "default"]],
  [/\/operators$/u, ["allow", "refuse"]],
  [/\/onMismatch$/u, ["report", "withhold"]],
  [/\/onMissing$/u, ["skip", "refuse"]],
  [/\/expose$/u, ["code", "none"]],
  [/\/sanitize\/[^/]+$/u, ["html", "text"]],
  [/\/redact\/[^/]+(?:\/action)?$/u, ["last4", "mask", "hash", "null", "remove"]],
  [/^\/limits\/[^/]+\/by$/u, ["client.ip", "principal.id"]],
  [/^\/authenticators\/[^/]+\/(?:issuer|audience)$/u, ["unchecked"]],
];

/** Everything that is written: left out, turned round, moved by one. */
class Walk {
  readonly #found: Mutant[] = [];
  readonly #answers: (pointer: string) => boolean;

  constructor(private readonly policy: PolicyDocument) {
    this.#answers = answersIn(policy);
  }

  all(): readonly Mutant[] {
    this.members(this.policy as unknown as Readonly<Record<string, unknown>>, "");
    return this.#found;
  }

  private members(record: Readonly<Record<string, unknown>>, pointer: string): void {
    for (const [name, value] of Object.entries(record)) {
      const at = pointerTo(pointer, name);
      if (SILENT.has(name) && !pointer.startsWith("/routes")) continue;
      if (name === "description") continue;
      this.#found.push(drop(at));
      this.value(value, at);
    }
  }

  private value(value: unknown, at: string): void {
    const segments = segmentsOf(at);
    if (this.isSchema(segments)) return void this.#found.push(...schemaMutants(value, at, this.#answers(at)));
    for (const [pattern, others] of CHOICES) {
      if (!pattern.test(at) || (typeof value !== "string" && !/(?:issuer|audience)$/u.test(at))) continue;
      for (const other of others) if (other !== value) this.#found.push(set(at, other, `is ${shown(other)}`));
    }
    if (typeof value === "string") this.text(value, at, segments);
    else if (typeof value === "boolean") this.#found.push(set(at, !value, `is \`${!value}\``));
    else if (typeof value === "number" && at.startsWith("/shed/classes/")) {
      for (const other of [value / 2, value * 2]) this.#found.push(set(at, other, `is \`${other}\``));
    } else if (typeof value === "number") {
      for (const other of [value + 1, value - 1]) this.#found.push(set(at, other, `is \`${other}\``));
    } else if (isList(value)) this.list(value, at);
    else if (isRecord(value)) this.members(value, at);
  }

  private text(value: string, at: string, segments: readonly string[]): void {
    const name = segments.at(-1) ?? "";
    // Of a redaction `unless` may be a condition itself.
    if (CONDITIONS.has(name) || (name === "unless" && segments.includes("redact")))
      this.#found.push(...conditionMutants(value, at));
    const measured = /^(\d+)(ms|s|m|h|d|B|kB|MB)$/u.exec(value);
    if (measured !== null) {
      const [, count = "", unit = ""] = measured;
      const finer = Number(count) % 2 === 0 ? undefined : FINER[unit];
      const half =
        finer === undefined
          ? `${Math.floor(Number(count) / 2)}${unit}`
          : `${(Number(count) * finer[0]) / 2}${finer[1]}`;
      for (const other of [`${Number(count) * 2}${unit}`, half])
        this.#found.push(set(at, other, `is \`${other}\``));
    }
  }

  private list(list: readonly unknown[], at: string): void {
    for (const [index, item] of list.entries()) {
      const place = pointerTo(at, index);
      this.#found.push(drop(place, `without ${shown(item)}`));
      if (isRecord(item) || isList(item)) this.value(item, place);
    }
  }

  private isSchema(segments: readonly string[]): boolean {
    const [first = "", second = ""] = segments;
    if (first === "schemas") return segments.length === 2;
    const inner = ["request", "response"].find((one) => segments.includes(one));
    if (inner === undefined || !["routes", "groups", "defaults"].includes(first)) return false;
    const rest = segments.slice(segments.indexOf(inner, first === "defaults" ? 1 : 2) + 1);
    const [member = ""] = rest;
    if (member === "body" || member === "events") return rest.length === 1;
    return SCHEMA_MAPS.has(member) && rest.length === 2 && second !== "";
  }
}

const FINER: Readonly<Record<string, readonly [number, string]>> = {
  s: [1000, "ms"],
  m: [60, "s"],
  h: [60, "m"],
  d: [24, "h"],
  kB: [1000, "B"],
  MB: [1000, "kB"],
};

/** What a route could have been written as, and was not. */
function routeMutants(policy: PolicyDocument): readonly Mutant[] {
  const names = Object.keys(policy.authenticators ?? {});
  // Where no route has it, nobody takes one for the other.
  const upgrading = Object.values(policy.routes).some(({ upgrade }) => upgrade !== undefined);
  return routesOf(policy).flatMap((view): Mutant[] => {
    const at = (...segments: readonly (string | number)[]): string => pointerTo(view.pointer, ...segments);
    const put = (member: string, value: unknown, change: string): Mutant => ({
      ...set(at(...member.split(" ")), value, change),
      pointer: view.pointer,
    });
    const found: Mutant[] = [put("mode", "observe", "only observes"), put("limits", [], "has no limits")];
    const input = (["query", "headers", "cookies", "body"] as const).some(
      (part) => view.inner("request", part) !== undefined,
    );
    if (input) found.push(put("request unknown", "allow", "takes input that nobody declared"));
    if (view.inner("response", "body") !== undefined)
      found.push(put("response body", true, "answers whatever the handler says"));
    if (eventsOf(view) !== undefined) found.push(put("response events", true, "lets whole events out"));
    if (upgrading && view.settings.upgrade === undefined && view.methods.includes("GET"))
      found.push(put("upgrade", "websocket", "lets connections be upgraded"));
    if (view.inner("response", "redact") !== undefined)
      found.push(put("response redact", {}, "redacts nothing"));
    found.push(
      put("conceal", view.setting("conceal")?.value !== true, "conceals or not, the other way round"),
    );
    if (view.settings.transport !== "any")
      found.push(put("transport", "any", "is served by plain HTTP and under any host"));
    if (policy.shed !== undefined && view.setting("shed")?.value !== "never")
      found.push(put("shed", "never", "is never shed"));
    if (view.open) return found;
    found.push({
      pointer: view.pointer,
      change: "is open to everybody",
      edits: [
        { pointer: at("authenticate"), value: "none" },
        { pointer: at("authorize"), value: undefined },
      ],
    });
    const alternatives = view.authenticators;
    if (!view.optional)
      found.push(put("authenticate", ["optional", ...alternatives], "takes anonymous callers"));
    if (view.demands.length > 0)
      found.push(put("authorize", "authenticated", "is for everybody who is known"));
    for (const name of names) {
      if (alternatives.some((one) => one.length === 1 && one[0] === name)) continue;
      const added = [
        ...(view.optional ? ["optional"] : []),
        ...alternatives.map((one) => (one.length === 1 ? one[0] : one)),
        name,
      ];
      found.push(put("authenticate", added, `takes credentials of \`${name}\``));
    }
    return found;
  });
}

/** Strangers among those who may read answers. */
function corsMutants(policy: PolicyDocument): readonly Mutant[] {
  const places = new Map(
    routesOf(policy).flatMap((view) => {
      const cors = corsOf(view);
      return cors === undefined ? [] : [[cors.pointer, cors] as const];
    }),
  );
  return [...places.values()].flatMap(({ pointer, origins, enforce }) => {
    const at = pointerTo(pointer, "origins");
    const found: Mutant[] = [];
    if (!origins.includes("*")) found.push(set(at, ["*"], "every origin is allowed"));
    for (const [index, origin] of origins.entries()) {
      const wide = /^(\w+:\/\/)(?!\*)[^./:]+\.([^/]+\.[^/]+)$/u.exec(origin);
      if (wide !== null)
        found.push(
          set(
            pointerTo(at, index),
            `${wide[1] ?? ""}*.${wide[2] ?? ""}`,
            `is \`${wide[1] ?? ""}*.${wide[2] ?? ""}\``,
          ),
        );
    }
    found.push({ ...set(pointerTo(pointer, "credentials"), true, "credentials are allowed"), pointer });
    if (!enforce)
      found.push({ ...set(pointerTo(pointer, "enforce"), true, "strangers are refused"), pointer });
    return found;
  });
}

/** Others whose word is believed, and more of what they say. */
function trustMutants({ transport }: PolicyDocument): readonly Mutant[] {
  const trust = transport?.trust;
  if (trust === undefined) return [];
  const at = (name: string): string => pointerTo("/transport/trust", name);
  const others = ["loopback", "private"].filter((peer) => !trust.peers.includes(peer));
  const found = others.map((peer) =>
    set(at("peers"), [...trust.peers, peer], `the word of \`${peer}\` is believed too`),
  );
  const single = !["x-forwarded-for", "forwarded"].includes(trust.header?.toLowerCase() ?? "");
  if (trust.host !== true && !single && transport?.hosts !== undefined)
    found.push({
      ...set(at("host"), true, "what they say of the host is believed"),
      pointer: "/transport/trust",
    });
  return found;
}

/** A role more where roles are asked for, and one more that a role includes. */
function roleMutants(policy: PolicyDocument): readonly Mutant[] {
  const roles = Object.keys(policy.roles ?? {});
  const found: Mutant[] = [];
  const visit = (value: unknown, pointer: string): void => {
    if (isList(value)) value.forEach((item, index) => visit(item, pointerTo(pointer, index)));
    if (!isRecord(value)) return;
    for (const [name, inner] of Object.entries(value)) {
      const at = pointerTo(pointer, name);
      if (name !== "roles" || !isList(inner)) visit(inner, at);
      else
        for (const role of roles)
          if (!inner.includes(role)) found.push(set(at, [...inner, role], `\`${role}\` will do too`));
    }
  };
  const { defaults, groups, routes } = policy;
  visit({ defaults, groups, routes }, "");
  for (const [role, included] of Object.entries(policy.roles ?? {}))
    for (const other of roles)
      if (other !== role && !included.includes(other))
        found.push(set(pointerTo("/roles", role), [...included, other], `includes \`${other}\``));
  return found;
}
