/** What a key is granted, read from options. What the policy would refuse in a record is refused here, where it can be mended. */
import type { Input } from "../cli/input.js";
import { UsageError } from "../cli/io.js";
import type { KeyGrant } from "./api-key.js";

const OPTIONS = {
  "api-key": ["id", "role", "scope", "attribute", "expires", "route", "prefix", "json"],
  basic: ["id", "generate", "json"],
  jwk: ["alg", "kid", "private"],
} as const;

/** An option that another kind of key has would be accepted and ignored. */
export function refuseForeign(kind: keyof typeof OPTIONS, input: Input): void {
  const own: readonly string[] = OPTIONS[kind];
  for (const name of new Set(Object.values(OPTIONS).flat()))
    if (input.has(name) && !own.includes(name))
      throw new UsageError(
        `\`--${name}\` means nothing for \`key ${kind}\``,
        `its options are ${own.map((one) => `--${one}`).join(", ")}`,
      );
}

/** @param now milliseconds since the epoch, for `--expires 90d` */
export function grantFrom(input: Input, now: number): KeyGrant {
  const id = input.text("id");
  if (id === undefined || id === "") throw new UsageError("`--id` is missing", "it names the principal");
  const roles = listFrom(input, "role");
  const scopes = listFrom(input, "scope");
  const routes = listFrom(input, "route");
  const attributes = attributesFrom(input.texts("attribute"));
  const expires = input.text("expires");
  return {
    id,
    ...(roles === undefined ? {} : { roles }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(attributes === undefined ? {} : { attributes }),
    ...(expires === undefined ? {} : { expires: instantFrom(expires, now) }),
    ...(routes === undefined ? {} : { routes }),
    ...prefixFrom(input.text("prefix")),
  };
}

function listFrom(input: Input, name: string): readonly string[] | undefined {
  const values = input.texts(name);
  if (values.includes("")) throw new UsageError(`\`--${name}\` is empty`);
  return values.length === 0 ? undefined : [...new Set(values)];
}

/** Fields of every principal: an attribute cannot stand in for one. */
const RESERVED = new Set([
  "id",
  "roles",
  "scopes",
  "claims",
  "authenticator",
  "authenticated",
  "with",
  "__proto__",
  "constructor",
  "prototype",
]);

function attributesFrom(written: readonly string[]): Record<string, unknown> | undefined {
  if (written.length === 0) return undefined;
  const attributes = new Map<string, unknown>();
  for (const one of written) {
    const at = one.indexOf("=");
    const name = one.slice(0, at);
    if (at < 1)
      throw new UsageError("`--attribute` is no `NAME=VALUE`", "write for example `--attribute tenant=acme`");
    if (RESERVED.has(name))
      throw new UsageError(
        `an attribute cannot be called \`${name}\``,
        "the principal has a field of that name",
      );
    if (attributes.has(name)) throw new UsageError(`attribute \`${name}\` is given twice`);
    attributes.set(name, valueFrom(one.slice(at + 1)));
  }
  return Object.fromEntries(attributes);
}

/** JSON where it is some, so that a number can be given; else the text itself. */
function valueFrom(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const DAY = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: DAY, w: 7 * DAY, y: 365 * DAY };

function instantFrom(text: string, now: number): string {
  const span = /^(\d{1,5})([hdwy])$/u.exec(text);
  const instant = span === null ? instantOf(text) : now + Number(span[1]) * (UNITS[span[2] ?? ""] ?? 0);
  if (instant === undefined)
    throw new UsageError(
      `\`--expires\` is no day, instant or span: \`${text}\``,
      "write `2027-01-31`, `2027-01-31T12:00:00Z` or `90d`",
    );
  if (instant <= now)
    throw new UsageError(`\`--expires ${text}\` is past already: the key would never be accepted`);
  return span === null ? text : new Date(instant).toISOString().replace(/\.\d+Z$/u, "Z");
}

/** As the policy language reads it: in UTC, and days that no calendar has are none. */
function instantOf(text: string): number | undefined {
  const day = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z)?$/u.exec(text)?.[1];
  const time = Date.parse(text);
  if (day === undefined || Number.isNaN(time)) return undefined;
  return new Date(time).toISOString().startsWith(day) ? time : undefined;
}

function prefixFrom(prefix: string | undefined): { readonly prefix?: string } {
  if (prefix === undefined) return {};
  if (!/^[A-Za-z][A-Za-z0-9-]{0,31}$/u.test(prefix))
    throw new UsageError(
      `\`--prefix\` cannot be \`${prefix}\``,
      "it is a letter, then letters, digits and dashes, at most 32",
    );
  return { prefix };
}
