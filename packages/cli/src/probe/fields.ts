/** Header fields of an answer, held against those that the policy owes. */
import type { PolicyResult } from "@gatehouse/core/testing";
import { valuesOf, type Answer, type HeaderField } from "./answer.js";
import type { Difference } from "./finding.js";

/** Different each time, or the server's and not the policy's. */
const VOLATILE =
  /^(?:date|connection|keep-alive|transfer-encoding|content-length|retry-after|ratelimit.*|x-ratelimit.*|set-cookie|dpop-nonce|etag|age|server-timing|last-modified|upgrade|trailer|alt-svc|via|content-encoding|accept-ranges)$/u;

const LISTS: ReadonlySet<string> = new Set([
  "vary",
  "allow",
  "access-control-expose-headers",
  "access-control-allow-headers",
  "access-control-allow-methods",
]);

/** Fields that the answer lacks, has otherwise, or has without being permitted to. */
export function fieldDifferences(expected: PolicyResult, answer: Answer): readonly Difference[] {
  const { fields } = expected;
  return [...owed(fields, answer), ...permitted(fields, answer)];
}

function owed(fields: readonly HeaderField[], answer: Answer): readonly Difference[] {
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  const found: Difference[] = [];
  for (const name of names) {
    if (VOLATILE.test(name)) continue;
    const wanted = valuesOf(fields, name);
    const theirs = valuesOf(answer.fields, name);
    const written = fields.find(([one]) => one.toLowerCase() === name)?.[0] ?? name;
    if (theirs.length === 0)
      found.push({ kind: "header", subject: `missing ${name}`, message: `\`${written}\` is missing` });
    else if (!agrees(name, wanted, theirs)) found.push(differs(name, written));
  }
  return found;
}

/** Permissions of CORS are more than a difference: a page of another origin reads what it must not. */
function differs(name: string, written: string): Difference {
  return name.startsWith("access-control-allow-")
    ? { kind: "cors", subject: `other ${name}`, message: `\`${written}\` permits something else` }
    : { kind: "header", subject: `other ${name}`, message: `\`${written}\` says something else` };
}

function agrees(name: string, wanted: readonly string[], theirs: readonly string[]): boolean {
  if (name === "vary") {
    const has = listed(theirs);
    return has.includes("*") || listed(wanted).every((one) => has.includes(one));
  }
  if (LISTS.has(name)) return listed(wanted).sort().join() === listed(theirs).sort().join();
  // An id of the exchange, and what holds one.
  if (isOnce(name, wanted)) return true;
  return plain(wanted) === plain(theirs);
}

function listed(values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.split(",").map((one) => one.trim().toLowerCase()))
    .filter((one) => one !== "");
}

function plain(values: readonly string[]): string {
  return values
    .join(", ")
    .replaceAll(/\s+/gu, " ")
    .replaceAll(/; ?charset=utf-8/giu, "")
    .toLowerCase();
}

const ONCE = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|'nonce-/iu;

function isOnce(name: string, [value = ""]: readonly string[]): boolean {
  return name.endsWith("-id") || name.endsWith("-nonce") || ONCE.test(value);
}

function permitted(fields: readonly HeaderField[], { fields: theirs }: Answer): readonly Difference[] {
  const names = new Set(theirs.map(([name]) => name.toLowerCase()));
  return [...names]
    .filter((name) => name.startsWith("access-control-allow-") && valuesOf(fields, name).length === 0)
    .map((name) => ({
      kind: "cors",
      subject: `more ${name}`,
      message: `\`${name}\` stands in an answer where the policy permits nothing`,
    }));
}

/** Fields of the handler's that the policy takes away, and that went out. */
export function removedFields(shaped: PolicyResult, answer: Answer): readonly Difference[] {
  const names = new Set(answer.fields.map(([name]) => name.toLowerCase()));
  return [...names]
    .filter(
      (name) =>
        !VOLATILE.test(name) &&
        !name.startsWith("access-control-") &&
        valuesOf(shaped.fields, name).length === 0,
    )
    .map((name) => ({
      kind: "header",
      subject: `kept ${name}`,
      message: `\`${name}\` stands in the answer, and the policy takes it away`,
    }));
}
