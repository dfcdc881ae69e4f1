/** `principal`: which claims become fields of the principal. Paths are taken apart once; own members only are followed. */
import { parsePointer, valueAt } from "../../lib/pointer.js";
import type { PrincipalMap } from "../../model/policy.js";
import { bad, type Bad } from "./judgement.js";
import { freezeDeep } from "./strict-json.js";
import { SharedTexts, type Texts } from "./texts.js";

type Claims = Readonly<Record<string, unknown>>;
type Field = (claims: Claims) => unknown;

/** What an authenticator found out about the caller, before roles are held against the document. */
export interface Grant {
  readonly kind: "grant";
  readonly id: string;
  readonly roles: Texts;
  readonly scopes: Texts;
  readonly claims: Claims;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const NO_ID = bad("what is mapped to the principal's `id` is no non-empty string");
const BAD_ROLES = bad(
  "what is mapped to the principal's `roles` is neither a list of strings nor one string",
);
const BAD_SCOPES = bad(
  "what is mapped to the principal's `scopes` is neither a list of strings nor one string",
);

/** Where a token's `principal` is not written. A claim that happens to be called `roles` opens no door that nobody wrote down. */
const TOKEN_MAP: PrincipalMap = { id: "sub", scopes: "scope" };

/** A map that is written and names no `id` takes `sub`; roles and scopes that it does not name are none. */
export function tokenMap(written: PrincipalMap | undefined): PrincipalMap {
  return written === undefined ? TOKEN_MAP : { id: "sub", ...written };
}

/** Steps of a dotted path, or of a JSON Pointer where it begins with `/`; undefined when it is malformed. */
export function stepsOf(path: string): readonly string[] | undefined {
  if (path.startsWith("/")) return parsePointer(path);
  const steps = path.split(".");
  return steps.includes("") ? undefined : steps;
}

/** What is known besides the claims; stands wherever the map names no source. */
export interface Given {
  readonly id?: unknown;
  readonly roles?: unknown;
  readonly scopes?: unknown;
}

export function compilePrincipalMap(map: PrincipalMap): (claims: Claims, given: Given) => Grant | Bad {
  const { id, roles, scopes, ...others } = map;
  const readId = id === undefined ? undefined : compileField(id);
  const readRoles = roles === undefined ? undefined : compileField(roles);
  const readScopes = scopes === undefined ? undefined : compileField(scopes);
  const fields = Object.entries(others).map(([name, source]) => ({ name, read: compileField(source) }));
  const texts = new SharedTexts();
  return (claims, given) => {
    const granted = texts.of(readRoles === undefined ? given.roles : readRoles(claims));
    if (granted === undefined) return BAD_ROLES;
    const scoped = texts.of(readScopes === undefined ? given.scopes : readScopes(claims));
    if (scoped === undefined) return BAD_SCOPES;
    const who = readId === undefined ? given.id : readId(claims);
    if (typeof who !== "string" || who === "") return NO_ID;
    const attributes = readAttributes(fields, claims);
    return { kind: "grant", id: who, roles: granted, scopes: scoped, claims, attributes };
  };
}

export function compileField(source: string | { readonly value: unknown }): Field {
  if (typeof source !== "string") {
    const constant = structuredClone(source.value);
    if (typeof constant === "object" && constant !== null) freezeDeep(constant);
    return () => constant;
  }
  const steps = stepsOf(source) ?? [];
  const [only] = steps;
  if (steps.length === 1 && only !== undefined) {
    return (claims) => (Object.hasOwn(claims, only) ? claims[only] : undefined);
  }
  return (claims) => valueAt(claims, steps);
}

interface Attribute {
  readonly name: string;
  readonly read: Field;
}

/** A null claim is an absent one. */
function readAttributes(fields: readonly Attribute[], claims: Claims): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (const { name, read } of fields) {
    const value = read(claims);
    if (value !== undefined && value !== null) attributes[name] = value;
  }
  return attributes;
}
