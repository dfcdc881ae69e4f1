/**
 * The principal's map, run backwards: which claims must stand in a token so that the policy makes the stated principal of it. What
 * no claims can bring about is a problem of the test, never a token that means something else.
 */
import { didYouMean } from "../errors/did-you-mean.js";
import type { Report } from "../errors/diagnostics.js";
import { parsePointer, pointerTo, valueAt } from "../lib/pointer.js";
import type { PrincipalMap } from "../model/policy.js";
import { same } from "./same.js";

/** A stated field of the principal, and where the test states it. */
export interface StatedField {
  readonly field: string;
  readonly value: unknown;
  readonly pointer: string;
  /** Undefined for a default: it gives way where the test says something else. */
  readonly yields?: true;
}

export type Claims = Record<string, unknown>;

/**
 * @param map as it holds: defaults filled in
 * @param given claims that stand already, the test's own among them; null: the test wants it absent
 */
export function claimsFor(
  map: PrincipalMap,
  stated: readonly StatedField[],
  given: Claims,
  authenticator: string,
  report: Report,
): Claims {
  const claims = structuredClone(given);
  const { length } = report.diagnostics;
  for (const field of stated) write(map, field, claims, authenticator, report);
  // Two fields of one path, or one inside the other: what was written first may be gone.
  if (report.diagnostics.length === length) for (const field of stated) verify(map, field, claims, report);
  return claims;
}

function write(
  map: PrincipalMap,
  { field, value, pointer, yields }: StatedField,
  claims: Claims,
  authenticator: string,
  report: Report,
): void {
  const source = Object.hasOwn(map, field) ? map[field] : undefined;
  if (source === undefined) {
    const others = Object.keys(map).filter((name) => !["id", "roles", "scopes"].includes(name));
    const mend = `\`principal\` of authenticator \`${authenticator}\` maps no \`${field}\``;
    const help = didYouMean(field, others) ?? "map it in the policy, or leave it out here";
    return report.error(
      "unreachable-field",
      pointer,
      `no claim gives a principal \`${field}\`: ${mend}`,
      help,
    );
  }
  if (typeof source !== "string") {
    if (yields === true || fits(field, value, source.value)) return;
    const help = "the policy says what it is: leave it out here";
    return report.error("unreachable-field", pointer, `\`${field}\` is a constant of the policy`, help);
  }
  const steps = stepsOf(source);
  const there = valueAt(claims, steps);
  if (there !== undefined) {
    if (yields === true || fits(field, value, there)) return;
    return disagree(field, source, pointer, report);
  }
  if (isEmpty(value)) return;
  // A copy: another field may be written inside of it, and the test's own value is the test's.
  const written = structuredClone(field === "scopes" ? blankSeparated(value) : value);
  if (!setAt(claims, steps, written)) disagree(field, source, pointer, report);
}

function verify(map: PrincipalMap, field: StatedField, claims: Claims, report: Report): void {
  const source = map[field.field];
  if (typeof source !== "string" || field.yields === true) return;
  if (!fits(field.field, field.value, valueAt(claims, stepsOf(source))))
    disagree(field.field, source, field.pointer, report);
}

function disagree(field: string, source: string, pointer: string, report: Report): void {
  report.error(
    "conflicting-claims",
    pointer,
    `\`${field}\` is read from \`${source}\`, where another value stands`,
    "say it once: as a field of the principal, or among the claims",
  );
}

/** As the engine reads them: a list of texts, or one text with single blanks. */
export function textsOf(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || value === null || value === "") return [];
  if (typeof value === "string") return value.split(" ");
  return Array.isArray(value) ? value : undefined;
}

function fits(field: string, wanted: unknown, found: unknown): boolean {
  if (field !== "roles" && field !== "scopes") return same(found, wanted);
  return same(textsOf(found), textsOf(wanted));
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function blankSeparated(value: unknown): unknown {
  return Array.isArray(value) ? value.join(" ") : value;
}

/** Steps of a dotted path, or of a JSON Pointer where it begins with `/`; the checks of the policy have refused all else. */
function stepsOf(path: string): readonly string[] {
  return path.startsWith("/") ? (parsePointer(path) ?? []) : path.split(".");
}

/** False where something that holds no members stands in the way. */
function setAt(root: Claims, steps: readonly string[], value: unknown): boolean {
  let place = root;
  for (const step of steps.slice(0, -1)) {
    const inner = Object.hasOwn(place, step) ? place[step] : (place[step] = {});
    if (!isMembers(inner)) return false;
    place = inner;
  }
  const last = steps.at(-1);
  if (last === undefined) return false;
  place[last] = value;
  return true;
}

function isMembers(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every place of a field that a test states, for `claimsFor`. */
export function statedFields(
  person: {
    readonly id?: string;
    readonly roles?: readonly string[];
    readonly scopes?: readonly string[];
    readonly attributes?: Readonly<Record<string, unknown>>;
  },
  name: string,
  pointer: string,
): readonly StatedField[] {
  const { id, roles, scopes, attributes } = person;
  const stated: StatedField[] = [
    id === undefined
      ? { field: "id", value: name, pointer, yields: true }
      : { field: "id", value: id, pointer: pointerTo(pointer, "id") },
  ];
  if (roles !== undefined)
    stated.push({ field: "roles", value: roles, pointer: pointerTo(pointer, "roles") });
  if (scopes !== undefined)
    stated.push({ field: "scopes", value: scopes, pointer: pointerTo(pointer, "scopes") });
  for (const [field, value] of Object.entries(attributes ?? {}))
    stated.push({ field, value, pointer: pointerTo(pointer, "attributes", field) });
  return stated;
}
