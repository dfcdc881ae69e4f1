/** One fact as it goes on the record: its value, or that there is none. */
import type { RequestState } from "../model/state.js";
import type { Access } from "./access.js";
import type { Availability, ConditionScope } from "./condition.js";
import { isSensitiveName } from "./facts.js";
import { vocabularyOf } from "./roots.js";
import type { CelType } from "./types.js";
import { isObject, memberOf } from "./values.js";

export interface ReadableFact {
  readonly fact: string;
  readonly needs: Availability;
  /** It may be told where nobody asked for it: no header field, cookie, query or body, nothing that is named like a credential. */
  readonly shown: boolean;
  /** Undefined: absent. */
  read(state: RequestState): unknown;
}

/** Undefined: the route has no such fact, or it is no value that could be told. */
export function readableFact(fact: string, scope: ConditionScope): ReadableFact | undefined {
  const [root = "", ...rest] = fact.split(".");
  if (rest.length === 0 || rest.includes("")) return undefined;
  const { roots, body } = vocabularyOf(scope);
  if (root === "body") return body === undefined ? undefined : inside(fact, body, rest);
  if (root === "principal" && scope.principal === "none") return undefined;
  // Names of fields, parameters and cookies may have dots; those of the others lead deeper.
  const whole = NAMED.has(root);
  const name = whole ? rest.join(".") : (rest[0] ?? "");
  if (root === "headers" && name !== name.toLowerCase()) return undefined;
  const access = roots.get(root)?.access(name);
  return access === undefined ? undefined : inside(fact, access, whole ? [] : rest.slice(1));
}

const NAMED: ReadonlySet<string> = new Set(["params", "query", "headers", "cookies"]);

function inside(fact: string, access: Access, path: readonly string[]): ReadableFact | undefined {
  const type = typeAt(access.type, path);
  if (type === undefined || !isTellable(type)) return undefined;
  const claims = fact.startsWith("principal.claims.");
  const shown = (access.shown || claims) && !fact.split(".").some(isSensitiveName);
  const { get } = access;
  if (path.length === 0) return { fact, needs: access.needs, shown, read: get };
  return { fact, needs: access.needs, shown, read: (state) => at(get(state), path) };
}

/** Undefined: what the schema or the engine knows has no such member. */
function typeAt(type: CelType, path: readonly string[]): CelType | undefined {
  let found: CelType | undefined = type;
  for (const name of path) {
    if (found?.kind === "record") found = found.record.fields.get(name) ?? found.record.others;
    else if (found?.kind === "map") found = found.of;
    else if (found?.kind !== "dyn") return undefined;
  }
  return found;
}

function isTellable({ kind }: CelType): boolean {
  return kind !== "record" && kind !== "map" && kind !== "null";
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) found = isObject(found) ? memberOf(found, name) : undefined;
  return found;
}
