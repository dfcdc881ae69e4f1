/** Components of a message signature (RFC 9421 section 2): what a name with its parameters stands for in a request. */
import type { Item } from "structured-headers";
import { structuredFields } from "#libraries";
import { encodeBase64 } from "../../lib/base64.js";
import { pairsOf } from "../../model/header-pairs.js";
import type { RequestState } from "../../model/state.js";
import { trimmed } from "../../normalize/fields.js";

/** A component as a policy or a message names it. */
export interface Component {
  /** Name and parameters in one spelling: two that mean the same are the same. */
  readonly id: string;
  /** As the message writes it, its parameters in their order: a line of the signature base begins with it. */
  readonly written: string;
  readonly name: string;
  /** Undefined: the request has no such component, or it could be read in two ways. */
  readonly valueIn: (state: RequestState) => string | undefined;
}

type Value = Component["valueIn"];

/** Undefined for what no request has (`@status`, `req`, `tr`), for unknown parameters, and for what this engine cannot make canonical. */
export function componentOf(item: Item): Component | undefined {
  const [name, parameters] = item;
  if (typeof name !== "string") return undefined;
  const valueIn = name.startsWith("@") ? derived(name, parameters) : field(name, parameters);
  if (valueIn === undefined) return undefined;
  const sorted: Item = [name, new Map([...parameters].sort(([a], [b]) => (a < b ? -1 : 1)))];
  const { serializeItem } = structuredFields();
  return { id: serializeItem(sorted), written: serializeItem(item), name, valueIn };
}

/** As a policy writes it: `@method`, `date`, `cache-control;sf`. */
export function parseComponent(text: string): Component | undefined {
  const [name = "", ...parameters] = text.split(";");
  if (!/^@?[!#$%&'*+.^_`|~0-9a-z-]+$/u.test(name)) return undefined;
  try {
    return componentOf(structuredFields().parseItem([`"${name}"`, ...parameters].join(";")));
  } catch {
    return undefined;
  }
}

const DERIVED: ReadonlyMap<string, (state: RequestState) => string> = new Map([
  ["@method", ({ request }: RequestState) => request.method],
  [
    "@target-uri",
    ({ request }: RequestState) => `${request.scheme}://${request.host}${pathAndQuery(request)}`,
  ],
  ["@authority", ({ request }: RequestState) => request.host],
  ["@scheme", ({ request }: RequestState) => request.scheme],
  ["@request-target", ({ raw }: RequestState) => raw.target],
  ["@path", ({ request }: RequestState) => (request.path === "" ? "/" : request.path)],
  ["@query", ({ request }: RequestState) => `?${request.queryText}`],
]);

function pathAndQuery({ path, queryText }: RequestState["request"]): string {
  return queryText === "" ? path : `${path}?${queryText}`;
}

function derived(name: string, parameters: Item[1]): Value | undefined {
  if (name === "@query-param") {
    const [parameter, ...others] = [...parameters];
    if (parameter?.[0] !== "name" || typeof parameter[1] !== "string" || others.length > 0) return undefined;
    return queryParameter(parameter[1]);
  }
  return parameters.size === 0 ? DERIVED.get(name) : undefined;
}

/** Of a name that stands in the query twice nobody can tell which is meant (RFC 9421 section 2.2.8). */
function queryParameter(encoded: string): Value {
  return ({ queryParameters }) => {
    for (const [name, value] of queryParameters ?? [])
      if (formEncoded(name) === encoded) return typeof value === "string" ? formEncoded(value) : undefined;
    return undefined;
  };
}

/** The percent-encode set of `application/x-www-form-urlencoded` (WHATWG URL), with `%20` for a blank. */
function formEncoded(text: string): string {
  try {
    return encodeURIComponent(text).replaceAll(
      /[!'()~]/gu,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  } catch {
    // A lone surrogate; it came as `%ED…`, which no text is.
    return "";
  }
}

/** Signed by the signature's own field it would have to hold itself. */
const NOT_SIGNABLE: ReadonlySet<string> = new Set(["signature", "signature-input"]);

function field(name: string, parameters: Item[1]): Value | undefined {
  if (name === "" || name !== name.toLowerCase() || NOT_SIGNABLE.has(name)) return undefined;
  const { sf, bs, key, ...strange } = Object.fromEntries(parameters);
  if (Object.keys(strange).length > 0) return undefined;
  if (![sf, bs].every((flag) => flag === undefined || flag === true)) return undefined;
  if (bs === true) return sf === undefined && key === undefined ? wrapped(name) : undefined;
  if (key !== undefined) return typeof key === "string" ? memberOf(name, key) : undefined;
  if (sf === true) return strict(name);
  return ({ request }) => request.headers.get(name);
}

/** Each line by itself as a byte sequence (RFC 9421 section 2.1.3). */
function wrapped(name: string): Value {
  return ({ raw }) => {
    const lines = pairsOf(raw.headers).filter(([written]) => written.toLowerCase() === name);
    if (lines.length === 0) return undefined;
    return lines.map(([, value]) => `:${encodeBase64(latin1(trimmed(value)))}:`).join(", ");
  };
}

/** Servers hand over a field's bytes as the characters of the same numbers. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function memberOf(name: string, key: string): Value {
  return quietly(name, (value) => {
    const { isInnerList, parseDictionary, serializeInnerList, serializeItem } = structuredFields();
    const member = parseDictionary(value).get(key);
    if (member === undefined) return undefined;
    return isInnerList(member) ? serializeInnerList(member) : serializeItem(member);
  });
}

/** Fields of HTTP that are structured, or can be read so (RFC 9421 section 2.1.1; RFC 9651). Of others nobody knows the type. */
const TYPES: ReadonlyMap<string, "dictionary" | "list" | "item"> = new Map([
  ["accept", "list"],
  ["accept-encoding", "list"],
  ["accept-language", "list"],
  ["cache-control", "dictionary"],
  ["content-digest", "dictionary"],
  ["content-encoding", "list"],
  ["content-length", "item"],
  ["content-type", "item"],
  ["expect", "item"],
  ["if-none-match", "list"],
  ["origin", "item"],
  ["pragma", "dictionary"],
  ["prefer", "dictionary"],
  ["priority", "dictionary"],
  ["repr-digest", "dictionary"],
  ["te", "list"],
  ["want-content-digest", "dictionary"],
  ["want-repr-digest", "dictionary"],
]);

function strict(name: string): Value | undefined {
  const type = TYPES.get(name);
  const fields = structuredFields();
  switch (type) {
    case undefined:
      return undefined;
    case "dictionary":
      return quietly(name, (value) => fields.serializeDictionary(fields.parseDictionary(value)));
    case "list":
      return quietly(name, (value) => fields.serializeList(fields.parseList(value)));
    case "item":
      return quietly(name, (value) => fields.serializeItem(fields.parseItem(value)));
  }
}

/** A field that is not what it should be has no value that could be signed. */
function quietly(name: string, canonical: (value: string) => string | undefined): Value {
  return ({ request }) => {
    const value = request.headers.get(name);
    if (value === undefined) return undefined;
    try {
      return canonical(value);
    } catch {
      return undefined;
    }
  };
}
