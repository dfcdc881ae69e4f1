/** Requests that a route admits, and requests with one thing wrong. */
import type { Arbitrary } from "fast-check";
import type { JsonSchema } from "../../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import type { TestPerson, TestRequest } from "../policy-test.gen.js";
import { Callers, COMMON_TEXTS } from "./callers.js";
import type { FastCheck } from "./fast-check.js";
import { SchemaMisses, without } from "./misses.js";
import { isRecord, placeOf, within, type PlainSchema } from "./plain-schema.js";
import {
  firstTexts,
  isCookieValue,
  isFieldValue,
  isRequired,
  isSegment,
  pathOf,
  textOf,
  textsOff,
} from "./texts.js";
import { SchemaValues } from "./values.js";
import type { Caller, Params } from "./ways.js";

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
      for (const [fault, text] of textsOff(this.fc, this.values, params?.value[name])) {
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
      for (const [fault, text] of textsOff(this.fc, this.values, schema))
        add(`query.${name}: ${fault}`, (draft) => ({ ...draft, query: { ...draft.query, [name]: text } }));
    }
    if (query !== undefined && unknown === "reject")
      add("query: unknown", (draft) => ({ ...draft, query: { ...draft.query, notDeclared: "1" } }));
    for (const [name, schema] of Object.entries(headers?.value ?? {})) {
      if (isRequired(schema))
        add(`headers.${name}: required`, (draft) => ({ ...draft, headers: without(draft.headers, name) }));
      for (const [fault, text] of textsOff(this.fc, this.values, schema)) {
        if (isFieldValue(text))
          add(`headers.${name}: ${fault}`, (draft) => ({
            ...draft,
            headers: { ...draft.headers, [name]: text },
          }));
      }
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
