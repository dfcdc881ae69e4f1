/** `principal`: who calls, as far as the route's authenticators can tell. */
import { engineFact } from "./access.js";
import type { Access, Root } from "./access.js";
import type { ConditionScope } from "./condition.js";
import { BOOL, CLAIMS, DYN, STRING, STRINGS } from "./types.js";
import type { CelType, RecordType } from "./types.js";
import { memberOf } from "./values.js";

const NO_TEXTS: readonly string[] = [];

/** For an anonymous caller roles and scopes are empty, and every other field but `authenticated` is absent. */
const PRINCIPAL: ReadonlyMap<string, Access> = new Map([
  ["id", engineFact(STRING, "principal", (state) => state.identity?.principal.id)],
  ["authenticated", engineFact(BOOL, "principal", (state) => state.identity !== undefined)],
  ["authenticator", engineFact(STRING, "principal", (state) => state.identity?.authenticator)],
  [
    "roles",
    engineFact(
      STRINGS,
      "principal",
      (state) => state.identity?.principal.roles ?? NO_TEXTS,
      (state) => state.identity?.roles,
    ),
  ],
  [
    "scopes",
    engineFact(
      STRINGS,
      "principal",
      (state) => state.identity?.principal.scopes ?? NO_TEXTS,
      (state) => state.identity?.scopes,
    ),
  ],
  [
    "claims",
    {
      type: CLAIMS,
      needs: "principal",
      get: (state) => state.identity?.principal.claims,
      shown: false,
      trusted: true,
    },
  ],
]);

export function principalRoot(scope: ConditionScope): Root {
  const companions = scope.companions ?? [];
  const others = scope.anyPrincipalField === true ? DYN : undefined;
  const known = new Map(PRINCIPAL);
  if (companions.length > 0) {
    known.set("with", { ...attribute("with"), type: { kind: "record", record: together(companions) } });
  }
  for (const field of scope.principalFields) if (!known.has(field)) known.set(field, attribute(field));
  const fields = new Map([...known].map(([member, access]) => [member, access.type]));
  return {
    name: "principal",
    record: { title: "principal", fields, others },
    access: (member) => known.get(member) ?? (others === undefined ? undefined : attribute(member)),
  };
}

/** What an authenticator maps: any JSON, so its type is only known while serving. */
function attribute(name: string): Access {
  return {
    type: DYN,
    needs: "principal",
    get: ({ identity }) => (identity === undefined ? undefined : memberOf(identity.principal, name)),
    shown: true,
    trusted: true,
  };
}

/** `principal.with.<name>`: principals of the other credentials where several had to pass together. */
function together(names: readonly string[]): RecordType {
  const fields = new Map<string, CelType>([
    ["id", STRING],
    ["roles", STRINGS],
    ["scopes", STRINGS],
    ["claims", CLAIMS],
    ["authenticator", STRING],
  ]);
  const companion: RecordType = { title: "principal.with.<name>", fields, others: DYN };
  const type: CelType = { kind: "record", record: companion };
  return {
    title: "principal.with",
    fields: new Map(names.map((name) => [name, type])),
    others: undefined,
  };
}
