/** What would have to change for a request to be admitted: one concrete mend for each code of refusal. */
import type { PolicyDocument } from "@gatehouse/core";
import { resolveAuthenticators, type Carrier, type ResolvedAuthenticator } from "@gatehouse/core/analysis";
import { nearest } from "../lib/near.js";
import { routesOf, type RouteView } from "../lib/routes.js";
import type { Asked } from "./ask.js";
import type { UnmetDemand } from "./probe.js";
import { fieldOf, type WireRequest } from "./request.js";
import { tokenProblems } from "./token.js";

export interface HintContext {
  readonly policy: PolicyDocument;
  readonly request: WireRequest;
  readonly asked: Asked;
  /** Undefined where no route matched. */
  readonly view: RouteView | undefined;
  readonly unmet: readonly UnmetDemand[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What refused, as the operator is told it. */
export interface Refused {
  readonly code: string;
  readonly reason: string | undefined;
}

export function hintsFor({ code, reason }: Refused, context: HintContext): readonly string[] {
  const make = Object.hasOwn(HINTS, code) ? HINTS[code] : undefined;
  const hints = make?.(context) ?? [];
  return hints.length > 0 ? hints : [reason ?? `the code is \`${code}\``];
}

type Hint = (context: HintContext) => readonly string[];

const authorization: Hint = ({ unmet }) => unmet.flatMap(demandHints);

function demandHints({ pointer, alternatives }: UnmetDemand): string[] {
  const told = alternatives.map(({ parts }) =>
    parts.map(({ needs, why }) => `${needs}${why === undefined ? "" : ` (${why})`}`),
  );
  const [only] = told;
  if (told.length === 1 && only !== undefined) return only.map((needs) => `${pointer} asks for ${needs}`);
  return [`${pointer} asks for one of:`, ...told.map((parts) => `  - ${parts.join("; and ")}`)];
}

const authentication: Hint = ({ policy, view }) =>
  (view?.authenticators ?? []).map(
    (names) => `send ${names.map((name) => credentialText(policy, name)).join(" and ")}`,
  );

function credentialText(policy: PolicyDocument, name: string): string {
  const found = resolveAuthenticators(policy).get(name);
  if (found === undefined) return `a credential of \`${name}\``;
  const { settings, carrier } = found;
  if ("senderConstrained" in settings && settings.senderConstrained !== undefined)
    return boundToken(name, settings.senderConstrained, settings, carrier);
  return `${WHAT[settings.type]} of \`${name}\`${placeText(settings, carrier)}`;
}

const WHAT: Readonly<Record<ResolvedAuthenticator["settings"]["type"], string>> = {
  jwt: "a token",
  introspection: "a token",
  "api-key": "an API key",
  basic: "a password",
  mtls: "a client certificate",
  signature: "a signature over the content",
  "http-signature": "a signature over the request (RFC 9421)",
  custom: "a credential",
};

function placeText(
  settings: ResolvedAuthenticator["settings"],
  { in: place, name, scheme }: Carrier,
): string {
  const field = "name" in settings && settings.name !== undefined ? settings.name : name;
  switch (place) {
    case "cookie":
      return ` in the cookie \`${field}\``;
    case "query":
      return ` in the query parameter \`${field}\``;
    case "tls":
      return settings.type === "mtls" ? "" : " that comes with a client certificate";
    case "header":
      return scheme === undefined
        ? ` in the header \`${field}\``
        : ` in \`Authorization: ${writtenScheme(settings) ?? `${scheme.slice(0, 1).toUpperCase()}${scheme.slice(1)}`} …\``;
  }
}

function writtenScheme(settings: ResolvedAuthenticator["settings"]): string | undefined {
  return "scheme" in settings ? settings.scheme : undefined;
}

function boundToken(
  name: string,
  constraint: unknown,
  settings: ResolvedAuthenticator["settings"],
  carrier: Carrier,
): string {
  return constraint === "mtls"
    ? `a token of \`${name}\`, bound to the client certificate that is shown,${placeText(settings, carrier)}`
    : `a token of \`${name}\` in \`Authorization: DPoP …\`, and a proof of its key in \`DPoP\``;
}

const badCredential: Hint = ({ policy, request, view, asked, now }) => {
  const names = [...new Set(view?.authenticators.flat())];
  const problems = names.flatMap((name) => {
    const settings = policy.authenticators?.[name];
    return settings?.type === "jwt" ? tokenProblems(name, settings, request, now) : [];
  });
  const reason = asked.event.reason ?? "the credential was refused";
  return problems.length > 0
    ? [reason, ...problems]
    : [reason, ...authentication({ policy, request, view, asked, now, unmet: [] })];
};

const contentTypes: Hint = ({ view }) => {
  const types = view?.request("types") ?? ["application/json", "+json"];
  return [`send the content as ${types.map((type) => `\`${type}\``).join(" or ")}, uncompressed, in UTF-8`];
};

/** Problems of the input, as the refusal lists them. */
const listed: Hint = ({ asked: { decision } }) => {
  if (decision.outcome !== "refuse") return [];
  const body: unknown = jsonOf(decision.body);
  const errors =
    typeof body === "object" && body !== null && "errors" in body && Array.isArray(body.errors)
      ? (body.errors as readonly unknown[])
      : [];
  return errors.flatMap((one) => {
    const { pointer, message } = one as { readonly pointer?: unknown; readonly message?: unknown };
    return typeof pointer === "string" && typeof message === "string" ? [`${pointer} ${message}`] : [];
  });
};

const tooFast: Hint = ({ policy, asked: { decision, event } }) => {
  const fields = decision.responseHeaders;
  const wait = fieldOf(fields, "retry-after");
  const names = [...(event.reason ?? "").matchAll(/`([^`]+)`/gu)].map((match) => match[1] ?? "");
  const limits = names.flatMap((name) => {
    const limit = policy.limits?.[name];
    if (limit === undefined) return [];
    const window = limit.window === undefined ? "at once" : `in ${limit.window}`;
    return [
      `the limit \`${name}\` lets ${limit.limit} ${window}${limit.by === undefined ? "" : ` by ${JSON.stringify(limit.by)}`}`,
    ];
  });
  return [...limits, ...(wait === undefined ? [] : [`wait ${wait} s (Retry-After)`])];
};

const noRoute: Hint = ({ policy, request }) => {
  const path = request.target.replace(/\?.*$/u, "");
  const routes = routesOf(policy);
  const near = nearest(
    path,
    routes.map((route) => route.path),
  );
  const slash = routes.find((route) => route.path === (path.endsWith("/") ? path.slice(0, -1) : `${path}/`));
  if (slash !== undefined) return [`ask for \`${slash.path}\`: a path with a slash at its end is another`];
  if (near !== undefined && near !== path) return [`no route has the path; did you mean \`${near}\`?`];
  const closing = closingGroup(policy, path);
  if (closing !== undefined)
    return [
      `the group \`${closing}\` closes its prefix: no \`:param\` or \`*\` of a route outside of it reaches below; name the path under \`routes\`, within the group`,
    ];
  return ["no route has the path; name it under `routes`"];
};

/** The longest group in whose prefix the path lies. */
function closingGroup(policy: PolicyDocument, path: string): string | undefined {
  const steps = path.split("/");
  return Object.keys(policy.groups ?? {})
    .filter((prefix) =>
      prefix.split("/").every((step, index) => step.startsWith(":") || step === steps[index]),
    )
    .sort((a, b) => b.split("/").length - a.split("/").length)[0];
}

const HINTS: Readonly<Record<string, Hint>> = {
  unauthenticated: (context) => [...authentication(context), ...authorization(context)],
  "invalid-credential": badCredential,
  "conflicting-credentials": () => ["send one of the two credentials: they are of two callers"],
  forbidden: authorization,
  "insufficient-scope": authorization,
  "condition-error": authorization,
  "invalid-parameters": listed,
  "invalid-body": listed,
  "malformed-body": (context) => [context.asked.event.reason ?? "the content is no JSON", ...listed(context)],
  "unexpected-body": ({ view }) => [
    "send no content, or ask with another method",
    ...(view === undefined ? [] : [`or declare it: \`request.body\` of ${view.pointer}`]),
  ],
  "missing-body": (context) => ["send content", ...contentTypes(context)],
  "unsupported-media-type": contentTypes,
  "body-too-large": ({ view }) => [
    `send at most ${String(view?.request("maxBody") ?? "100kB")}, or widen \`request.maxBody\``,
  ],
  "rate-limited": tooFast,
  "missing-limit-fact": ({ asked }) => [
    asked.event.reason ?? "a fact that a limit counts by is absent",
    "send the fact that the limit counts by, or change its `onMissing`",
  ],
  "https-required": ({ policy }) => {
    const trust = policy.transport?.trust;
    const proxy =
      trust?.header === undefined
        ? []
        : [
            `or come through a proxy of ${trust.peers.join(", ")}, whose word in \`${trust.header}\` is believed`,
          ];
    return ["ask over HTTPS", ...proxy];
  },
  "misdirected-host": ({ policy }) => [
    `send a Host that is served: ${(policy.transport?.hosts ?? []).map((host) => `\`${host}\``).join(", ")}`,
  ],
  "upgrade-refused": ({ view }) => [
    `ask without \`Upgrade\`, or let ${view?.pointer ?? "the route"} have \`"upgrade": "websocket"\``,
  ],
  "not-found": noRoute,
  "method-not-allowed": ({ asked }) => [
    `ask with one of: ${fieldOf(asked.decision.responseHeaders, "allow") ?? "the methods of the path"}`,
  ],
  "origin-not-allowed": ({ view, policy }) => {
    const cors = view?.setting("cors")?.value ?? policy.cors;
    const origins = typeof cors === "object" ? cors.origins : [];
    return [
      `come from the API's own origin or a listed one: ${origins.map((origin) => `\`${origin}\``).join(", ")}`,
    ];
  },
  "cross-site-request": ({ view, policy }) => {
    const csrf = view?.setting("csrf")?.value ?? policy.csrf;
    const origins = typeof csrf === "object" ? (csrf.origins ?? []) : [];
    const listed =
      origins.length === 0 ? "" : `, or from ${origins.map((origin) => `\`${origin}\``).join(", ")}`;
    return [
      `ask from the API's own origin (\`Sec-Fetch-Site: same-origin\`)${listed}`,
      "or send the credential in a header, which no other site can make a browser do",
    ];
  },
  "duplicate-header": ({ asked }) => [
    asked.event.reason ?? "a field that has one value comes twice",
    "send it once",
  ],
  "method-override": ({ request }) => [`ask with the method itself: \`${request.method}\` is what counts`],
  "too-early": () => ["repeat it when the handshake is done, without `Early-Data`"],
  "expectation-failed": () => ["leave `Expect` out, or send `100-continue`"],
  "target-too-long": () => ["a target has at most 8192 characters"],
  "header-section-too-large": () => ["a request has at most 100 fields and 16,384 bytes of them"],
  "ambiguous-host": () => ["send one `Host` that is a host name"],
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
