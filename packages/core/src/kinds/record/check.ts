/** Facts that no request can have, and facts that must never be on any record. */
import { readableFact, scopeOf } from "../../conditions/index.js";
import { didYouMean } from "../../errors/did-you-mean.js";
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";

export function checkRecord(policy: ResolvedPolicy, report: Report): void {
  const places = new Map<string, ResolvedRoute[]>();
  for (const route of policy.routes) {
    if (route.record === undefined) continue;
    const { pointer } = route.record;
    places.set(pointer, [...(places.get(pointer) ?? []), route]);
  }
  for (const routes of places.values()) checkPlace(policy, routes, report);
}

/** @param routes those for which one `record` holds: what one of them has is no mistake */
function checkPlace(policy: ResolvedPolicy, routes: readonly ResolvedRoute[], report: Report): void {
  const [first] = routes;
  if (first?.record === undefined) return;
  const { value, pointer } = first.record;
  for (const [index, fact] of (value.facts ?? []).entries()) {
    const place = pointerTo(pointer, "facts", index);
    if (isCredential(fact, policy)) {
      report.error(
        "recorded-credential",
        place,
        `\`${fact}\` carries a credential: whoever reads the record could use it`,
        "record who called: the principal is in every event",
      );
    } else if (!routes.some((route) => readableFact(fact, scopeOf(policy, route)) !== undefined)) {
      report.error(
        "unknown-fact",
        place,
        `\`${fact}\` is no value that the route has`,
        helpFor(fact, routes),
      );
    }
  }
}

const FORMS = [
  "params.<name>",
  "query.<name>",
  "headers.<name>",
  "body.<field>",
  "principal.<field>",
  "principal.claims.<name>",
  "client.ip",
  "request.host",
  "request.path",
];

function helpFor(fact: string, routes: readonly ResolvedRoute[]): string {
  const lower = fact.toLowerCase();
  if (fact.startsWith("headers.") && fact !== lower) return `header names are lower case here: \`${lower}\``;
  if (fact.startsWith("body.")) return "the schema of `request.body` must declare it, as one value or a list";
  const params = routes.flatMap(({ pattern }) =>
    pattern.flatMap((part) => (part.kind === "param" ? [`params.${part.name}`] : [])),
  );
  return (
    didYouMean(fact, [...params, ...FORMS]) ?? `there are ${FORMS.map((form) => `\`${form}\``).join(", ")}`
  );
}

/** Fields that are credentials on any API, beside what the document's own authenticators read. */
const CREDENTIAL_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "dpop",
]);

const ROOT_OF = { header: "headers", query: "query", cookie: "cookies" } as const;

function isCredential(fact: string, policy: ResolvedPolicy): boolean {
  const name = fact.startsWith("headers.") ? fact.slice("headers.".length).toLowerCase() : undefined;
  if (name !== undefined && CREDENTIAL_FIELDS.has(name)) return true;
  return [...policy.authenticators.values()].some(
    ({ carrier }) => carrier.in !== "tls" && `${ROOT_OF[carrier.in]}.${carrier.name}` === fact,
  );
}
