/** A request for readers: without anything that might be a credential. */
import type { ResolvedPolicy } from "@gatehouse/core/analysis";
import type { WireRequest } from "./client.js";

const MOST = 240;

/** @param ownFields names of fields that somebody handed over: their values are not ours to tell */
export function shownRequest(
  { method, target, headers }: Omit<WireRequest, "content">,
  policy: ResolvedPolicy,
  ownFields: ReadonlySet<string>,
): string {
  const hidden = new Set([...ownFields, ...PROOFS, ...proxysOf(policy), ...carriersOf(policy)]);
  const line = `${method} ${shortened(withoutParameters(target, policy))} HTTP/1.1`;
  const fields = headers
    .filter(([name]) => !DULL.has(name.toLowerCase()))
    .map(
      ([name, value]) => `${name}: ${hidden.has(name.toLowerCase()) ? schemeOf(value) : shortened(value)}`,
    );
  return [line, ...fields].join("\n");
}

/** Good for as long as a signature is good, or of no use to a reader. */
const PROOFS = [
  "authorization",
  "cookie",
  "dpop",
  "signature",
  "client-cert",
  "x-ssl-client-cert",
  "x-forwarded-client-cert",
];

/** In every request alike. */
const DULL: ReadonlySet<string> = new Set(["user-agent", "accept", "connection"]);

/** Where a proxy passes certificates on, under whatever name: a server that believes everybody takes it for a proof. */
function proxysOf({ document }: ResolvedPolicy): readonly string[] {
  const field = document.transport?.trust?.clientCert;
  return field === undefined ? [] : [field.toLowerCase()];
}

function carriersOf({ authenticators }: ResolvedPolicy): readonly string[] {
  return [...authenticators.values()].flatMap(({ carrier }) =>
    carrier.in === "header" ? [carrier.name] : [],
  );
}

function withoutParameters(target: string, { authenticators }: ResolvedPolicy): string {
  let shown = target;
  for (const { carrier } of authenticators.values()) {
    if (carrier.in !== "query") continue;
    const start = `${encodeURIComponent(carrier.name)}=`;
    shown = shown
      .split(/(?<=[?&])/u)
      .map((part) => (part.startsWith(start) ? `${start}…${part.endsWith("&") ? "&" : ""}` : part))
      .join("");
  }
  return shown;
}

function schemeOf(value: string): string {
  const [, scheme = ""] = /^(bearer|dpop|basic|apikey) /iu.exec(value) ?? [];
  return scheme === "" ? "…" : `${scheme} …`;
}

function shortened(text: string): string {
  return text.length <= MOST ? text : `${text.slice(0, MOST)}…`;
}
