/** Requests that might tell two policies apart: those that fit either, those that only just do not, and those that an aspect is about. */
import type { TestAnswer, TestCredential, TestPerson, TestRequest } from "@gatehouse/core/testing";
import type { ResolvedAuthenticator } from "@gatehouse/core/analysis";
import { isList } from "../lib/json.js";
import { fieldsOf as headersOf } from "./answers.js";
import type { Model } from "./authorization.js";
import { alike } from "./canonical.js";
import type { Candidate } from "./duel.js";
import { sourceOf } from "./facts.js";
import { sampleAnswer } from "./handler-answer.js";
import type { Aspect, Cell, Pair, Side } from "./model.js";
import { fieldsOf, toldFor } from "./principals.js";
import { durationOf } from "./units.js";
import { ABSENT, ODD, type Origin, type Value } from "./variables.js";

/** What an aspect is about, as changes of a request that is good otherwise. */
export function candidatesFor(
  aspect: Aspect,
  pair: Pair,
  base: Candidate,
  models: readonly Model[],
): Iterable<Candidate> {
  switch (aspect) {
    case "transport":
      return transport(pair, base);
    case "cors":
      return cors(pair, base);
    case "authentication":
      return authentication(pair, base);
    case "csrf":
      return csrf(pair, base);
    case "request":
      return request(pair, base);
    case "authorization":
      return authorization(pair, base, models);
    case "response":
      return response(pair, base);
    case "headers":
    case "errors":
    case "mode":
    case "routing":
      return plain(pair, base, aspect);
    case "limits":
    case "record":
      return [];
  }
}

export function pathOf({ segments }: Pick<Cell, "segments">): string {
  return `/${segments.map(encodeURIComponent).join("/")}`;
}

function changed(base: Candidate, change: Partial<TestRequest>): Candidate {
  return { ...base, request: { ...base.request, ...change } };
}

function withHeaders(base: Candidate, headers: Readonly<Record<string, string>>): Candidate {
  return changed(base, { headers: { ...base.request.headers, ...headers } });
}

function sidesOf({ old, new: fresh }: Pair): readonly [Side, Side] {
  return [old, fresh];
}

function* transport(pair: Pair, base: Candidate): Iterable<Candidate> {
  const listed = sidesOf(pair).flatMap(({ analysed }) => analysed.policy.document.transport?.hosts ?? []);
  const hosts = [...new Set([...listed.map((host) => host.replace("*", "one")), "other.test"])];
  for (const https of [true, false]) {
    yield changed(base, { https });
    for (const host of hosts) yield changed(base, { https, host });
  }
  yield withHeaders(changed(base, { upgrade: true, method: "GET", https: true }), {
    Connection: "Upgrade",
    Upgrade: "websocket",
  });
  for (const { analysed } of sidesOf(pair)) {
    const trust = analysed.policy.document.transport?.trust;
    for (const peer of trust?.peers ?? []) {
      const ip =
        peer === "loopback" ? "127.0.0.1" : peer === "private" ? "10.0.0.1" : (peer.split("/")[0] ?? peer);
      yield withHeaders(changed(base, { ip, https: false }), {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
      });
      yield withHeaders(changed(base, { ip, https: true }), {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "http",
      });
    }
  }
}

function* cors(pair: Pair, base: Candidate): Iterable<Candidate> {
  const settings = sidesOf(pair).flatMap(({ route: { cors } }) =>
    cors === undefined || cors.value === "none" ? [] : [cors.value],
  );
  const origins = new Set([
    ...settings.flatMap((one) =>
      one.origins.map((origin) => (origin === "*" ? "https://other.test" : origin.replace("*", "one"))),
    ),
    "https://other.test",
  ]);
  const headers = new Set([
    "",
    "content-type",
    ...settings.flatMap((one) => one.requestHeaders ?? []),
    ...carriersOf(pair),
    "x-other",
  ]);
  const methods = new Set(pair.cells.map(({ method }) => method).filter((method) => method !== "OPTIONS"));
  for (const origin of origins) {
    yield withHeaders(
      { ...base, answer: { status: 200, headers: { "Access-Control-Allow-Origin": "*" }, body: {} } },
      { Origin: origin },
    );
    for (const method of [...methods].slice(0, 2)) {
      for (const asked of headers) {
        yield {
          by: base.by,
          request: {
            method: "OPTIONS",
            target: base.request.target,
            headers: {
              Origin: origin,
              "Access-Control-Request-Method": method,
              ...(asked === "" ? {} : { "Access-Control-Request-Headers": asked.toLowerCase() }),
            },
          },
        };
      }
    }
  }
}

function carriersOf(pair: Pair): readonly string[] {
  return authenticatorsOf(pair).flatMap(({ one: { carrier } }) =>
    carrier.in === "header" ? [carrier.name] : [],
  );
}

interface Owned {
  readonly by: Side["name"];
  readonly one: ResolvedAuthenticator;
}

function authenticatorsOf(pair: Pair): readonly Owned[] {
  return sidesOf(pair).flatMap(({ name, route }) =>
    [...new Set(route.authenticate.anyOf.flat())].map((one): Owned => ({ by: name, one })),
  );
}

/** Everything that the person of the base has, by another authenticator. */
function credentialOf(person: TestPerson | undefined): TestCredential {
  const { authenticator: _authenticator, credentials, about: _about, ...credential } = person ?? {};
  return credentials === undefined ? credential : (Object.values(credentials)[0] ?? {});
}

function* authentication(pair: Pair, base: Candidate): Iterable<Candidate> {
  yield { ...base, person: undefined };
  const owned = authenticatorsOf(pair);
  for (const { by, one } of owned) {
    const credential = credentialOf(base.person);
    for (const plain of [credential, {}]) {
      const person = { ...plain, authenticator: one.name };
      yield { ...base, by, person };
      yield* tokens(pair, { ...base, by, person }, person);
    }
    yield* withGarbage(base, one);
    for (const { by: other, one: beside } of owned) {
      if (other === by && beside.name !== one.name)
        yield { ...base, by, person: { credentials: { [one.name]: credential, [beside.name]: {} } } };
    }
  }
}

/** Tokens at the edge of what either side asks. */
function* tokens(pair: Pair, base: Candidate, person: TestPerson): Iterable<Candidate> {
  const settings = authenticatorsOf(pair).flatMap(({ one }) =>
    one.settings.type === "jwt" && one.name === person.authenticator ? [one.settings] : [],
  );
  if (settings.length === 0) return;
  const withClaims = (claims: Readonly<Record<string, unknown>>): Candidate => ({
    ...base,
    person: { ...person, claims: { ...person.claims, ...claims } },
  });
  for (const { issuer, audience, typ, clockTolerance = "0s", maxAge } of settings) {
    yield withClaims({ iss: issuer === "unchecked" ? "https://anybody.test/" : issuer });
    const audiences: readonly string[] =
      typeof audience === "string" ? [audience] : "claim" in audience ? [] : audience;
    for (const aud of audiences) yield withClaims({ aud: aud === "unchecked" ? "anybody" : aud });
    if (typeof audience === "object" && "claim" in audience)
      for (const value of audience.values) yield withClaims({ [audience.claim]: value });
    for (const one of typ ?? ["at+jwt", "JWT"])
      yield { ...base, person: { ...person, header: { typ: one } } };
    if (typ === undefined) yield { ...base, person: { ...person, header: { typ: null } } };
    const tolerance = Math.max(1, Math.floor(durationOf(clockTolerance) / 1000));
    yield withClaims({ exp: { $now: -tolerance + 1 }, iat: { $now: -tolerance - 60 } });
    yield withClaims({ iat: { $now: tolerance - 1 }, nbf: { $now: tolerance } });
    if (maxAge !== undefined) {
      const age = Math.floor(durationOf(maxAge) / 1000);
      for (const seconds of [age, age + 1, age * 2])
        yield withClaims({ iat: { $now: -seconds }, exp: { $now: 600 } });
    } else yield withClaims({ iat: { $now: -86_400 * 400 }, exp: { $now: 600 } });
  }
}

/** A bad credential beside a good one. */
function* withGarbage(base: Candidate, { carrier }: ResolvedAuthenticator): Iterable<Candidate> {
  const garbage = "no-good-credential";
  if (carrier.in === "header") {
    const value = carrier.scheme === undefined ? garbage : `${carrier.scheme} ${garbage}`;
    yield withHeaders(base, { [carrier.name]: value });
  } else if (carrier.in === "cookie")
    yield changed(base, { cookies: { ...base.request.cookies, [carrier.name]: garbage } });
  else yield changed(base, { query: { ...base.request.query, [carrier.name]: garbage } });
}

function* csrf(pair: Pair, base: Candidate): Iterable<Candidate> {
  const origins = new Set(
    sidesOf(pair).flatMap(({ route: { csrf: rule, cors } }) => [
      ...(rule === undefined || rule.value === "off" ? [] : (rule.value.origins ?? [])),
      ...(cors === undefined || cors.value === "none"
        ? []
        : cors.value.origins.filter((one) => !one.includes("*"))),
    ]),
  );
  origins.add("https://other.test");
  const everybody = sidesOf(pair).some(
    ({ route: { csrf: rule } }) => rule?.value !== "off" && rule?.value.always === true,
  );
  const people = authenticatorsOf(pair).filter(({ one }) => everybody || one.carrier.ambient);
  const { "Sec-Fetch-Site": _site, Origin: _origin, ...headers } = base.request.headers ?? {};
  const methods = new Set(
    pair.cells.map(({ method }) => method).filter((method) => !["GET", "HEAD", "OPTIONS"].includes(method)),
  );
  for (const { by, one } of people) {
    for (const method of methods) {
      const person = { ...credentialOf(base.person), authenticator: one.name };
      const bare: Candidate = { ...base, by, person, request: { ...base.request, method, headers } };
      yield bare;
      yield withHeaders(bare, { "Sec-Fetch-Site": "cross-site" });
      for (const Origin of origins) {
        yield withHeaders(bare, { Origin });
        yield withHeaders(bare, { Origin, "Sec-Fetch-Site": "cross-site" });
      }
    }
  }
}

function* request(pair: Pair, base: Candidate): Iterable<Candidate> {
  const { request: sent } = base;
  const { body: _body, ...bare } = sent;
  const json = { "Content-Type": "application/json" };
  const text = (value: string): Candidate => ({
    ...base,
    request: { ...bare, headers: { ...bare.headers, ...json }, text: value },
  });
  yield changed(base, { query: { ...sent.query, extra: "1" } });
  yield changed(base, { query: { ...sent.query, $ne: "1" } });
  yield changed(base, { query: { ...sent.query, "a[__proto__]": "1" } });
  yield { ...base, request: bare };
  const members =
    typeof sent.body === "object" && sent.body !== null && !Array.isArray(sent.body) ? sent.body : undefined;
  const inner = JSON.stringify(members ?? {}).slice(1, -1);
  const joined = (member: string): string => `{${[inner, member].filter((one) => one !== "").join(",")}}`;
  if (sent.body !== undefined) {
    for (const member of [
      '"extra":1',
      '"__proto__":{}',
      '"$ne":1',
      '"extra":"\\u0001"',
      '"extra":"\\ud800"',
      '"extra":9007199254740993',
      '"extra":1,"extra":2',
      '"extra":"<b>x</b>"',
    ])
      yield text(joined(member));
    for (const { route } of sidesOf(pair)) {
      const { maxDepth, maxBody, types } = route.request;
      yield text(`${"[".repeat(maxDepth)}${"]".repeat(maxDepth)}`);
      yield text(joined(`"extra":${"[".repeat(maxDepth - 1)}${"]".repeat(maxDepth - 1)}`));
      const now = Buffer.byteLength(JSON.stringify(sent.body));
      if (maxBody >= now && maxBody < 3_000_000) {
        yield text(`${JSON.stringify(sent.body)}${" ".repeat(maxBody - now)}`);
        yield text(`${JSON.stringify(sent.body)}${" ".repeat(maxBody - now + 1)}`);
      }
      for (const type of types.value)
        yield withHeaders(base, { "Content-Type": type === "+json" ? "application/other+json" : type });
    }
    for (const [key, value] of Object.entries(members ?? {}))
      if (typeof value === "string")
        for (const other of ["<i>x</i>", `${value}\u0001`, `${value}\ud800`])
          yield changed(base, { body: { ...members, [key]: other } });
  } else {
    yield changed(base, { body: {} });
    yield text('{"__proto__":1}');
    for (const { route } of sidesOf(pair))
      for (const type of route.request.types.value)
        yield {
          ...base,
          request: {
            ...bare,
            headers: { ...bare.headers, "Content-Type": type === "+json" ? "application/other+json" : type },
            text: "{}",
          },
        };
  }
}

function* response(pair: Pair, base: Candidate): Iterable<Candidate> {
  const answer = sampleAnswer(sidesOf(pair));
  const statuses = new Set([
    200,
    ...sidesOf(pair).flatMap(({ route }) =>
      Object.keys(route.response.bodies?.value ?? {}).flatMap((key) =>
        /^[2-4]\d\d$/u.test(key) ? [Number(key)] : [],
      ),
    ),
  ]);
  const roles = new Set(sidesOf(pair).flatMap(({ analysed }) => [...analysed.policy.roles.keys()]));
  const scopes = new Set(
    JSON.stringify(sidesOf(pair).map(({ route }) => route.response.redact?.value ?? {}))
      .match(/"[\w:.-]+"/gu)
      ?.map((one) => one.slice(1, -1)) ?? [],
  );
  const withholds = sidesOf(pair).some(({ route }) => route.response.onMismatch === "withhold");
  const lone = withholds ? [...misfits(answer)] : [];
  const asked = base.person;
  const people: (TestPerson | undefined)[] = [asked];
  if (asked !== undefined) {
    for (const role of roles)
      people.push(
        { ...asked, roles: [role] },
        { ...asked, roles: [...new Set([...(asked.roles ?? []), role])] },
      );
    people.push({ ...asked, scopes: [...new Set([...(asked.scopes ?? []), ...scopes])] });
  }
  for (const person of people) {
    for (const status of statuses) {
      for (const body of [answer, [answer], misfit(answer), ...lone])
        yield { ...base, person, answer: { status, body } };
      if (pair.old.route.response.encode !== pair.new.route.response.encode)
        yield { ...base, person, answer: { status, body: markup(answer) } };
    }
  }
}

/** Each value of another type. */
function misfit(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer), (_key, value: unknown) =>
    typeof value === "number" ? `n${value}` : typeof value === "string" ? 4711 : value,
  ) as unknown;
}

/** One part at a time of another type, so that the rest would leave. */
function* misfits(answer: unknown): Iterable<unknown> {
  if (typeof answer !== "object" || answer === null) {
    yield true;
    yield misfit(answer);
    return;
  }
  for (const [key, value] of Object.entries(answer)) {
    const others = [...(typeof value === "object" ? [true] : []), ...misfits(value)];
    for (const other of others)
      yield isList(answer) ? answer.with(Number(key), other) : { ...answer, [key]: other };
  }
}

function markup(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer).replaceAll("text", "<b>text</b>")) as unknown;
}

function* plain(pair: Pair, base: Candidate, aspect: Aspect): Iterable<Candidate> {
  const named = aspect === "headers" ? handlerFields(pair) : {};
  const answer: TestAnswer = { status: 200, headers: named, body: {} };
  yield { ...base, answer };
  yield { ...base, person: undefined, answer };
  yield changed(base, { https: false });
  for (const { by, one } of authenticatorsOf(pair))
    yield { ...base, by, answer, person: { ...credentialOf(base.person), authenticator: one.name } };
  for (const cell of [
    ...pair.told.old.slice(0, 2),
    ...pair.told.new.slice(0, 2),
    ...pair.cells.slice(0, 8),
  ]) {
    yield { ...base, answer, request: { ...base.request, method: cell.method, target: pathOf(cell) } };
    yield { by: base.by, answer, request: { method: cell.method, target: pathOf(cell) } };
  }
}

/** Of the handler's own: would each leave? */
function handlerFields(pair: Pair): Readonly<Record<string, string>> {
  const names = new Set([
    "server",
    "x-powered-by",
    ...sidesOf(pair).flatMap((side) => [...headersOf(side).keys()]),
  ]);
  return Object.fromEntries(
    [...names].map((name) => [name, name === "cache-control" ? "max-age=60" : "of-the-handler"]),
  );
}

function* authorization(pair: Pair, base: Candidate, models: readonly Model[]): Iterable<Candidate> {
  for (const model of models) yield* modelled(model, pair, base);
  yield* principals(pair, base);
}

/** Callers of whom the handlers are told apart: by roles, or by a field that has another source. */
function* principals({ old, new: fresh }: Pair, base: Candidate): Iterable<Candidate> {
  const credential = credentialOf(base.person);
  for (const one of new Set(old.route.authenticate.anyOf.flat())) {
    const other = fresh.route.authenticate.anyOf.flat().find(({ name }) => name === one.name);
    if (other === undefined) continue;
    const as = (change: TestCredential): Candidate => ({
      ...base,
      by: "old",
      person: { ...credential, ...change, authenticator: one.name },
    });
    const declared = [old, fresh].flatMap(({ analysed }) => [...analysed.policy.roles.keys()]);
    for (const role of new Set(declared)) {
      if (alike(toldFor(role, old, one), toldFor(role, fresh, other))) continue;
      yield as({ roles: [role] });
      yield as({ roles: [...new Set([...(credential.roles ?? []), role])] });
    }
    for (const field of new Set([...fieldsOf(one), ...fieldsOf(other)])) {
      const sources = [sourceOf(one, field), sourceOf(other, field)];
      if (alike(sources[0], sources[1])) continue;
      for (const source of sources)
        if (source !== undefined && "path" in source) yield as(bringing(credential, source.path, one));
    }
  }
}

function bringing(
  { claims, attributes }: TestCredential,
  path: readonly string[],
  { settings }: ResolvedAuthenticator,
): TestCredential {
  if (settings.type !== "jwt") return { attributes: { ...attributes, [path[0] ?? ""]: "told" } };
  const brought = { ...claims };
  setAt(brought, path, "told");
  return { claims: brought };
}

function* modelled(model: Model, pair: Pair, base: Candidate): Iterable<Candidate> {
  for (const by of ["old", "new"] as const) {
    const made = realized(model, pair, base, by);
    if (made !== undefined) yield made;
  }
}

interface Draft {
  readonly credential: {
    roles: string[];
    scopes: string[];
    claims: Record<string, unknown>;
    attributes: Record<string, unknown>;
    id?: string;
  };
  readonly params: Map<string, string>;
  readonly query: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly cookies: Record<string, string>;
  readonly refusing: string[];
  body: unknown;
  ip?: string;
  method?: string;
}

/** The case brought about, as far as it can be. */
function realized(
  { who, given, variables }: Model,
  pair: Pair,
  base: Candidate,
  by: "old" | "new",
): Candidate | undefined {
  const draft: Draft = {
    credential: { roles: [], scopes: [], claims: {}, attributes: {} },
    params: new Map(),
    query: {},
    headers: {},
    cookies: {},
    refusing: [],
    body: base.request.body,
  };
  for (const { id, origin } of variables) place(draft, origin, given.get(id));
  const { authenticator } = who[by];
  const { id, ...credential } = draft.credential;
  const person: TestPerson | undefined =
    authenticator === undefined
      ? undefined
      : {
          authenticator: authenticator.name,
          ...(id === undefined ? {} : { id }),
          ...filledOnly(credential),
        };
  const { target } = base.request;
  return {
    ...base,
    by,
    person,
    refusing: draft.refusing,
    request: {
      ...base.request,
      ...(draft.method === undefined ? {} : { method: draft.method }),
      ...(draft.ip === undefined ? {} : { ip: draft.ip }),
      target: withParams(target, pair, draft.params),
      ...(Object.keys(draft.query).length === 0 ? {} : { query: { ...base.request.query, ...draft.query } }),
      headers: { "Sec-Fetch-Site": "same-origin", ...base.request.headers, ...draft.headers },
      ...(Object.keys(draft.cookies).length === 0
        ? {}
        : { cookies: { ...base.request.cookies, ...draft.cookies } }),
      ...(draft.body === undefined ? {} : { body: draft.body }),
    },
  };
}

function filledOnly(credential: Omit<Draft["credential"], "id">): TestCredential {
  const { roles, scopes, claims, attributes } = credential;
  return {
    ...(roles.length === 0 ? {} : { roles }),
    ...(scopes.length === 0 ? {} : { scopes }),
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

function place(draft: Draft, origin: Origin, value: Value | undefined): void {
  const unmade = value === "error" && (origin.kind === "equal" || origin.kind === "opaque");
  if (value === undefined || value === ABSENT || unmade) {
    if (value === ABSENT && origin.kind === "body")
      draft.body = withMember(draft.body, origin.path, undefined);
    return;
  }
  const plain: unknown = value === ODD ? [] : value;
  const text = typeof plain === "string" ? plain : JSON.stringify(plain);
  const { credential } = draft;
  switch (origin.kind) {
    case "role":
      if (value === true) credential.roles.push(origin.roles[0] ?? "");
      return;
    case "scope":
      if (value === true) credential.scopes.push(origin.scope);
      return;
    case "id":
      credential.id = text;
      return;
    case "claim":
      setAt(credential.claims, origin.path, plain);
      return;
    case "since":
      setAt(
        credential.claims,
        [origin.claim],
        typeof value === "number" ? { $now: -Math.ceil(value) } : text,
      );
      return;
    case "attribute":
      credential.attributes[origin.name] = plain;
      return;
    case "params":
      draft.params.set(origin.name, text);
      return;
    case "query":
    case "headers":
    case "cookies":
      draft[origin.kind][origin.name] = text;
      return;
    case "body":
      draft.body = withMember(draft.body, origin.path, plain);
      return;
    case "ip":
      if (/^[0-9a-f.:]+$/iu.test(text)) draft.ip = text;
      return;
    case "method":
      if (/^[A-Z]+$/u.test(text)) draft.method = text;
      return;
    case "check":
      if (value === false) draft.refusing.push(origin.name);
      return;
    case "equal":
      place(draft, origin.left, value === true ? "same-1" : "one-1");
      place(draft, origin.right, value === true ? "same-1" : "two-2");
      return;
    case "opaque":
      return;
  }
}

function setAt(claims: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = claims;
  for (const step of path.slice(0, -1)) {
    const inner = at[step];
    at = at[step] = typeof inner === "object" && inner !== null ? { ...inner } : {};
  }
  at[path.at(-1) ?? ""] = value;
}

function withMember(body: unknown, [first, ...rest]: readonly string[], value: unknown): unknown {
  const members = typeof body === "object" && body !== null && !Array.isArray(body) ? { ...body } : {};
  if (first === undefined) return value;
  const own = members as Record<string, unknown>;
  if (rest.length > 0) own[first] = withMember(own[first], rest, value);
  else if (value === undefined) delete own[first];
  else own[first] = value;
  return own;
}

function withParams(target: string, pair: Pair, params: ReadonlyMap<string, string>): string {
  if (params.size === 0) return target;
  const [path = "", query] = target.split("?");
  const segments = path.split("/").slice(1);
  for (const { route } of sidesOf(pair)) {
    for (const [at, part] of route.pattern.entries()) {
      const value = part.kind === "param" ? params.get(part.name) : undefined;
      if (value !== undefined && value !== "") segments[at] = encodeURIComponent(value);
    }
  }
  return `/${segments.join("/")}${query === undefined ? "" : `?${query}`}`;
}
