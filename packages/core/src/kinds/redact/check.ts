/** Refuses responses that could only misfire: schemas that cannot be followed, pointers that match nothing, hashes without a key. */
import { didYouMean } from "../../errors/did-you-mean.js";
import { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { NodeBuilder } from "./builder.js";
import { type Redactions, redactionsOf } from "./entries.js";
import { Pointers } from "../../lib/pointer-set.js";
import { declaredPointers, reachedPointers } from "./reach.js";
import { type Place, SchemaReader } from "./schema-reader.js";
import { schemasOf } from "./statuses.js";

export function checkRedact(policy: ResolvedPolicy, report: Report): void {
  const once = new OnceReport(report);
  const reader = new SchemaReader(policy.schemas, once);
  for (const route of policy.routes) {
    checkStatuses(route, once);
    checkMismatch(policy, route, once);
    const schemas = schemasOf(route, reader);
    const failed = once.diagnostics.length;
    for (const place of schemas) checkSchema(policy, reader, place, once);
    const redactions = redactionsOf(policy, route, once);
    checkHashes(policy, route, redactions, once);
    // A schema that cannot be read matches nothing for reasons of its own.
    if (once.diagnostics.length === failed) checkReach(route, reader, schemas, redactions, once);
  }
}

/** What a group or the document says holds on many routes, and is reported once. */
class OnceReport extends Report {
  readonly #seen = new Set<string>();

  constructor(private readonly target: Report) {
    super();
  }

  override error(code: string, pointer: string, message: string, help?: string): void {
    const key = `${code} ${pointer} ${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    super.error(code, pointer, message, help);
    this.target.error(code, pointer, message, help);
  }
}

function checkStatuses({ response, key }: ResolvedRoute, report: Report): void {
  const { body, bodies } = response;
  if (bodies === undefined) return;
  if (body !== undefined) {
    report.error(
      "body-and-bodies",
      bodies.pointer,
      "`body` and `bodies` both say what leaves",
      "move the schema of `body` to `bodies` under `2xx`",
    );
  }
  for (const status of Object.keys(bodies.value)) {
    const reason = neverSent(status);
    if (reason !== undefined) {
      report.error(
        "unreachable-status",
        pointerTo(bodies.pointer, status),
        `\`${status}\` of \`${key}\` never applies: ${reason}`,
      );
    }
  }
}

/** Written on a route: what is inherited was written for others too. */
function checkMismatch({ document }: ResolvedPolicy, route: ResolvedRoute, report: Report): void {
  const written = document.routes[route.key]?.response;
  if (written === undefined || written === false || written.onMismatch === undefined) return;
  const { body, bodies, events } = route.response;
  if (body !== undefined || bodies !== undefined || events !== undefined) return;
  report.error(
    "setting-without-effect",
    `${route.pointer}/response/onMismatch`,
    "`onMismatch` is about a schema of the answer, and the route has none of `response.body`, `response.bodies` and `response.events`",
    "write one of them, or leave the key out",
  );
}

function neverSent(status: string): string | undefined {
  if (status.startsWith("5")) return "the error shape replaces every 5xx body";
  if (status.startsWith("1") || status === "204" || status === "205" || status === "304")
    return "it has no body";
  return undefined;
}

/** Reading reports what cannot be followed; a `redact` keyword may need the key. */
function checkSchema(policy: ResolvedPolicy, reader: SchemaReader, place: Place, report: Report): void {
  for (const { redact, at } of reader.reach(place)) {
    if (redact === "hash" && !hasKey(policy)) missingKey(`${at}/redact`, report);
  }
}

function checkHashes(
  policy: ResolvedPolicy,
  route: ResolvedRoute,
  { texts, actions }: Redactions,
  report: Report,
): void {
  if (hasKey(policy)) return;
  for (const [index, { action }] of actions.entries()) {
    if (action === "hash")
      missingKey(pointerTo(route.response.redact?.pointer ?? "", texts[index] ?? ""), report);
  }
}

function hasKey(policy: ResolvedPolicy): boolean {
  return policy.document.redaction?.key !== undefined;
}

function missingKey(pointer: string, report: Report): void {
  report.error(
    "missing-redaction-key",
    pointer,
    "`hash` needs a key: without one, anybody could hash guesses and compare",
    'write `"redaction": { "key": { "secret": "env:NAME" } }`',
  );
}

/** Inherited pointers may match nothing: they are written for many routes. */
function checkReach(
  route: ResolvedRoute,
  reader: SchemaReader,
  schemas: readonly Place[],
  { texts, pointers, actions }: Redactions,
  report: Report,
): void {
  const { redact } = route.response;
  if (redact?.from !== "route" || texts.length === 0 || schemas.length === 0) return;
  const expansions = schemas.map((place) => reader.expand(place));
  const builder = new NodeBuilder(reader, new Map(), pointers, actions);
  const roots = expansions.map((expansion) => builder.root(expansion));
  const reached = reachedPointers(roots, builder, pointers);
  const lost = texts.filter((_, index) => !reached.has(index));
  if (lost.length === 0) return;
  const plain = new NodeBuilder(reader, new Map(), new Pointers([]), []);
  const declared = declaredPointers(
    expansions.map((expansion) => plain.root(expansion)),
    plain,
  );
  for (const text of lost) {
    report.error(
      "unmatched-redaction",
      pointerTo(redact.pointer, text),
      `\`${text}\` matches nothing that the response schema lets out`,
      didYouMean(text, declared),
    );
  }
}
