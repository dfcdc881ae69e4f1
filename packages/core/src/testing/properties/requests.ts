/** Requests that a route admits, and requests with one thing wrong. */
import type { Arbitrary } from "fast-check";
import type { JsonSchema } from "../../model/policy.js";
import type { PatternPart, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import type { TestPerson, TestRequest } from "../policy-test.gen.js";
import { Callers, COMMON_TEXTS, type Caller, type Params } from "./callers.js";
import type { FastCheck } from "./fast-check.js";
import { SchemaMisses, textMisses, without } from "./misses.js";
import { isRecord, placeOf, rangeOf, typesOf, within, type PlainSchema } from "./plain-schema.js";
import { isHarmless, SchemaValues } from "./values.js";

/** A request together with who makes it: what a step of a policy test says. */
export interface GeneratedRequest {
  /** Key of the route for which it was made. */
  readonly route: string;
  /** Undefined: the request is anonymous. */
  readonly as: TestPerson | undefined;
  readonly request: TestRequest;
  /** What is wrong with it, in words; undefined: nothing is. */
  readonly fault: string | undefined;
  /**
   * Everything that decides about it was understood. Without a fault the policy admits it, with one it refuses it, as long as
   * checks answer `true` and no limit refuses. Conditions in CEL, and schemas with `not`, `if`, `oneOf` and their like, make
   * it uncertain.
   */
  readonly certain: boolean;
}

/** A request in parts, before it is written down. */
interface Draft {
  readonly method: string;
  readonly params: Params;
  readonly rest: readonly string[];
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly caller: Caller;
}

/** Fixes a segment of the path where a pattern asks for one; undefined: any will do. */
export type FixedSegment = (index: number) => string | undefined;

const ANY_SEGMENT: FixedSegment = () => undefined;

type ParameterMap = Readonly<Record<string, JsonSchema>>;

export class Requests {
  readonly callers: Callers;
  readonly values: SchemaValues;

  constructor(
    private readonly fc: FastCheck,
    private readonly policy: ResolvedPolicy,
  ) {
    this.callers = new Callers(fc, policy);
    this.values = new SchemaValues(fc, policy.schemas);
  }

  /** @param caller in place of those whom the route lets in */
  fitting(
    route: ResolvedRoute,
    caller = this.callers.allowed(route),
    segment = ANY_SEGMENT,
  ): Arbitrary<GeneratedRequest> | undefined {
    if (caller === undefined) return undefined;
    const certain = this.isCertain(route);
    return this.drafts(route, caller, segment).map((draft) => this.written(route, draft, undefined, certain));
  }

  misses(route: ResolvedRoute): readonly Arbitrary<GeneratedRequest>[] {
    const allowed = this.callers.allowed(route);
    const found: Arbitrary<GeneratedRequest>[] = [];
    for (const { fault, caller } of this.callers.near(route))
      found.push(
        this.drafts(route, caller, ANY_SEGMENT).map((draft) => this.written(route, draft, fault, true)),
      );
    if (allowed === undefined) return found;
    const drafts = this.drafts(route, allowed, ANY_SEGMENT);
    const add = (fault: string, change: Arbitrary<Partial<Draft>>): void => {
      const both = this.fc.tuple(drafts, change);
      found.push(both.map(([draft, changed]) => this.written(route, { ...draft, ...changed }, fault, true)));
    };
    this.parameterMisses(route, drafts, found);
    for (const [fault, body] of this.bodyMisses(route))
      add(
        fault,
        body.map((body) => ({ body })),
      );
    return found;
  }

  private drafts(route: ResolvedRoute, caller: Arbitrary<Caller>, segment: FixedSegment): Arbitrary<Draft> {
    const { fc } = this;
    const { request } = route;
    return fc.record({
      method: fc.constantFrom(...route.methods),
      params: this.params(route, segment),
      rest: this.rest(route),
      query: this.parameters(request.query?.value, () => true),
      headers: this.parameters(request.headers?.value, isFieldValue).map(firstTexts),
      cookies: this.parameters(request.cookies?.value, isCookieValue).map(firstTexts),
      body: this.body(route),
      caller,
    });
  }

  private params(route: ResolvedRoute, segment: FixedSegment): Arbitrary<Params> {
    const model: Record<string, Arbitrary<string>> = {};
    for (const [index, part] of route.pattern.entries()) {
      if (part.kind !== "param") continue;
      const fixed = segment(index);
      model[part.name] =
        fixed === undefined ? this.segment(route, part.name, index) : this.fc.constant(fixed);
    }
    return this.fc.record(model, { noNullPrototype: true });
  }

  private segment(route: ResolvedRoute, name: string, index: number): Arbitrary<string> {
    const schema = route.request.params?.value[name];
    const taken = this.staticTexts(index);
    const admits = (text: string): boolean => isSegment(text) && !taken.has(text);
    if (schema !== undefined && schema !== true)
      return this.values.fitting(placeOf(schema)).map(textOf).filter(admits);
    const any = this.values.fitting(placeOf({ type: "string", minLength: 1, maxLength: 12 })).map(textOf);
    return this.fc.oneof(any, this.fc.constantFrom(...COMMON_TEXTS)).filter(admits);
  }

  /** Texts that lead to another route, or into a group that closes its prefix. */
  private staticTexts(index: number): ReadonlySet<string> {
    const patterns = [
      ...this.policy.routes.map(({ pattern }) => pattern),
      ...this.policy.groups.map(({ parts }) => parts),
    ];
    return new Set(patterns.flatMap((parts) => (parts[index]?.kind === "static" ? [parts[index].text] : [])));
  }

  private rest({ pattern }: ResolvedRoute): Arbitrary<readonly string[]> {
    if (pattern.at(-1)?.kind !== "rest") return this.fc.constant([]);
    const taken = this.staticTexts(pattern.length - 1);
    const text = this.values.fitting(placeOf({ type: "string", minLength: 1, maxLength: 8 })).map(textOf);
    return this.fc.array(
      text.filter((one) => isSegment(one) && !taken.has(one)),
      { minLength: 1, maxLength: 2 },
    );
  }

  private parameters(
    map: ParameterMap | undefined,
    admits: (text: string) => boolean,
  ): Arbitrary<Readonly<Record<string, string | readonly string[]>>> {
    const model: Record<string, Arbitrary<string | readonly string[]>> = {};
    for (const [name, schema] of Object.entries(map ?? {})) {
      const place = placeOf(schema);
      if (this.values.plain(place).never) continue;
      model[name] = this.values
        .fitting(place)
        .map((value) => (Array.isArray(value) ? value.map(textOf) : textOf(value)))
        .filter((value) => (typeof value === "string" ? admits(value) : value.length > 0));
    }
    const requiredKeys = Object.entries(map ?? {}).flatMap(([name, schema]) =>
      isRequired(schema) ? [name] : [],
    );
    return this.fc.record(model, {
      requiredKeys: requiredKeys.filter((name) => Object.hasOwn(model, name)),
      noNullPrototype: true,
    });
  }

  private body({ request }: ResolvedRoute): Arbitrary<unknown> {
    if (request.body === undefined) return this.fc.constant(undefined);
    const fitting = this.values
      .fitting(placeOf(request.body.value))
      .filter((value) => Buffer.byteLength(JSON.stringify(value) ?? "") <= request.maxBody);
    return request.bodyOptional ? this.fc.option(fitting, { nil: undefined }) : fitting;
  }

  private bodyMisses({
    request,
    methods,
  }: ResolvedRoute): readonly (readonly [string, Arbitrary<unknown>])[] {
    const { fc } = this;
    if (request.body === undefined) {
      const bodiless = methods.every((method) => ["GET", "HEAD", "DELETE", "OPTIONS"].includes(method));
      return bodiless ? [["a body where none belongs", fc.constant({})]] : [];
    }
    const misses = new SchemaMisses(fc, this.values, request.unknown === "reject");
    const found = misses.of(placeOf(request.body.value)).map(({ fault, value }) => {
      const small = value.filter((value) => Buffer.byteLength(JSON.stringify(value)) <= request.maxBody);
      return [`body: ${fault}`, small] as const;
    });
    return request.bodyOptional ? found : [["no body", fc.constant(undefined)], ...found];
  }

  private parameterMisses(
    route: ResolvedRoute,
    drafts: Arbitrary<Draft>,
    found: Arbitrary<GeneratedRequest>[],
  ): void {
    const add = (fault: string, change: (draft: Draft) => Draft): void =>
      void found.push(drafts.map((draft) => this.written(route, change(draft), fault, true)));
    const { params, query, headers, unknown } = route.request;
    for (const [index, part] of route.pattern.entries()) {
      if (part.kind !== "param") continue;
      const { name } = part;
      const taken = this.staticTexts(index);
      for (const [fault, text] of this.textsOff(params?.value[name])) {
        if (isSegment(text) && !taken.has(text))
          add(`params.${name}: ${fault}`, (draft) => ({
            ...draft,
            params: { ...draft.params, [name]: text },
          }));
      }
    }
    for (const [name, schema] of Object.entries(query?.value ?? {})) {
      if (isRequired(schema))
        add(`query.${name}: required`, (draft) => ({ ...draft, query: without(draft.query, name) }));
      for (const [fault, text] of this.textsOff(schema))
        add(`query.${name}: ${fault}`, (draft) => ({ ...draft, query: { ...draft.query, [name]: text } }));
    }
    if (query !== undefined && unknown === "reject")
      add("query: unknown", (draft) => ({ ...draft, query: { ...draft.query, notDeclared: "1" } }));
    for (const [name, schema] of Object.entries(headers?.value ?? {})) {
      if (isRequired(schema))
        add(`headers.${name}: required`, (draft) => ({ ...draft, headers: without(draft.headers, name) }));
      for (const [fault, text] of this.textsOff(schema)) {
        if (isFieldValue(text))
          add(`headers.${name}: ${fault}`, (draft) => ({
            ...draft,
            headers: { ...draft.headers, [name]: text },
          }));
      }
    }
  }

  /** Texts that a parameter's schema only just refuses. */
  private textsOff(schema: JsonSchema | undefined): readonly (readonly [string, string])[] {
    if (schema === undefined) return [];
    const plain = this.values.plain(placeOf(schema));
    const types = typesOf(plain);
    if (!plain.certain || types?.length !== 1) return [];
    if ("enum" in plain.keywords || "const" in plain.keywords) return [["enum", "noneOfThese"]];
    switch (types[0]) {
      case "integer":
      case "number":
        return numbersOff(plain, types[0] === "integer");
      case "boolean":
        return [["type", "yes"]];
      case "string":
        return textMisses(plain, (rule, value) => ({ fault: rule, value: this.fc.constant(value) })).flatMap(
          ({ fault, value }) =>
            this.fc.sample(value, { numRuns: 1, seed: 0 }).map((text) => [fault, textOf(text)] as const),
        );
      default:
        return [];
    }
  }

  private written(
    route: ResolvedRoute,
    draft: Draft,
    fault: string | undefined,
    certain: boolean,
  ): GeneratedRequest {
    const { method, query, cookies, body, caller, params } = draft;
    const as = caller.as(params);
    const headers = { ...draft.headers, ...this.extraFields(route, draft, as) };
    const request: TestRequest = {
      method,
      target: pathOf(route.pattern, draft),
      ...(Object.keys(query).length === 0 ? {} : { query }),
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      ...(Object.keys(cookies).length === 0 ? {} : { cookies }),
      ...(body === undefined ? {} : { body }),
    };
    // What observes refuses nothing.
    const decides = certain && caller.certain && route.mode === "enforce";
    return { route: route.key, as, request, fault, certain: decides };
  }

  /** What a browser of the API's own, and a client that knows the route's types, would send. */
  private extraFields(
    { request }: ResolvedRoute,
    { method, body }: Draft,
    as: TestPerson | undefined,
  ): Readonly<Record<string, string>> {
    const fields: Record<string, string> = {};
    const [type = "application/json"] = request.types.value;
    if (body !== undefined && !request.types.value.includes("application/json"))
      fields["Content-Type"] = type === "+json" ? "application/problem+json" : type;
    const names = as?.credentials === undefined ? [as?.authenticator ?? ""] : Object.keys(as.credentials);
    const ambient = names.some((name) => this.policy.authenticators.get(name)?.carrier.ambient === true);
    if (ambient && !["GET", "HEAD", "OPTIONS"].includes(method)) fields["Sec-Fetch-Site"] = "same-origin";
    return fields;
  }

  private isCertain({ request }: ResolvedRoute): boolean {
    const maps = [request.params, request.query, request.headers, request.cookies];
    const schemas = maps.flatMap((map) => Object.values(map?.value ?? {}));
    if (request.body !== undefined) schemas.push(request.body.value);
    return schemas.every((schema) => this.understands(this.values.plain(placeOf(schema)), 0));
  }

  private understands(plain: PlainSchema, depth: number): boolean {
    if (!plain.certain) return false;
    if (depth > 8) return true;
    const { properties, items, prefixItems } = plain.keywords;
    const below = [
      ...(isRecord(properties) ? Object.values(properties) : []),
      ...(Array.isArray(prefixItems) ? (prefixItems as readonly unknown[]) : []),
      ...(items === undefined ? [] : [items]),
    ];
    return below.every((schema) => this.understands(this.values.plain(within(plain, schema)), depth + 1));
  }
}

function numbersOff(plain: PlainSchema, integer: boolean): readonly (readonly [string, string])[] {
  const { low, high, bounded, step } = rangeOf(plain, integer);
  const found: [string, string][] = [
    ["type", "x"],
    ["type", `${low}x`],
  ];
  if (integer) found.push(["type", String(low + 0.5)]);
  if (bounded.low) found.push(["minimum", String(low - step)]);
  if (bounded.high) found.push(["maximum", String(high + step)]);
  return found;
}

function isRequired(schema: JsonSchema): boolean {
  return typeof schema === "object" && schema["required"] === true;
}

function firstTexts(
  values: Readonly<Record<string, string | readonly string[]>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === "string" ? value : (value[0] ?? ""),
    ]),
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** A segment that has one reading only. */
function isSegment(text: string): boolean {
  return text !== "" && !/^\.+$|[\s/\\;%#?]/u.test(text) && isHarmless(text);
}

function isFieldValue(text: string): boolean {
  return /^[\u0021-\u007E]+$/u.test(text);
}

function isCookieValue(text: string): boolean {
  return /^[\w.-]+$/u.test(text);
}

export function pathOf(pattern: readonly PatternPart[], draft: Pick<Draft, "params" | "rest">): string {
  const segments = pattern.flatMap((part) => {
    switch (part.kind) {
      case "static":
        // As a browser writes it: an encoded letter would be another reading of the same path.
        return [encodeURI(part.text)];
      case "param":
        return [encodeURIComponent(draft.params[part.name] ?? "")];
      case "rest":
        return draft.rest.map(encodeURIComponent);
    }
  });
  return `/${segments.join("/")}`;
}
