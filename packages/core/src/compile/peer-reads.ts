/** Where a policy depends on what some platforms hide of a connection: the address of its peer, and its certificate. */
import type { Report } from "../errors/diagnostics.js";
import { pointerTo } from "../lib/pointer.js";
import type { PolicyDocument } from "../model/policy.js";

/** Keys whose text is a condition or a price in CEL. */
const EXPRESSIONS: ReadonlySet<string> = new Set(["when", "forbid", "unless", "cost", "estimate"]);
/**
 * Without the address everybody would share one count, and every condition on `client.ip` would fail: nothing of that is what the
 * author wrote. `client` anywhere in an expression counts, so that no spelling slips through.
 */
export function reportPeerReads(document: PolicyDocument, report: Report): void {
  if (document.transport?.trust !== undefined) {
    refuse("/transport/trust", "`trust` believes proxies by their address", report);
  }
  walk(document, "", report);
}

/** Nobody could ever bring what is asked for, and whoever reads the policy would believe that somebody must. */
export function reportCertificateReads({ authenticators, transport }: PolicyDocument, report: Report): void {
  if (transport?.trust?.clientCert !== undefined) return;
  for (const [name, settings] of Object.entries(authenticators ?? {})) {
    const inTls = settings.type === "mtls" || (settings.type === "custom" && settings.in === "tls");
    const isBound = "senderConstrained" in settings && settings.senderConstrained === "mtls";
    if (!inTls && !isBound) continue;
    report.error(
      "needs-client-certificate",
      pointerTo("/authenticators", name),
      `\`${name}\` asks for a client certificate, and this server does not tell of any`,
      "let a trusted proxy pass it on (`clientCert` of `trust`), or take this out of the policy",
    );
  }
}

function walk(value: unknown, pointer: string, report: Report): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    const place = pointerTo(pointer, key);
    if (key === "by") checkFacts(member, place, report);
    if (EXPRESSIONS.has(key) && typeof member === "string") checkExpression(member, place, report);
    // A limit or a schema may be called `by` or `when` too.
    walk(member, place, report);
  }
}

function checkFacts(by: unknown, pointer: string, report: Report): void {
  const facts: readonly unknown[] = Array.isArray(by) ? by : [by];
  for (const fact of facts) {
    const name = typeof fact === "object" && fact !== null ? (fact as { fact?: unknown }).fact : fact;
    if (name === "client.ip") refuse(pointer, "the limit counts by `client.ip`", report);
  }
}

function checkExpression(text: string, pointer: string, report: Report): void {
  if (/\bclient\b/u.test(text)) refuse(pointer, "the expression reads `client.ip`", report);
}

function refuse(pointer: string, what: string, report: Report): void {
  report.error(
    "needs-peer-address",
    pointer,
    `${what}, and this server does not tell the address of its peer`,
    "hand `remoteAddress` to the adapter, or take this out of the policy",
  );
}
