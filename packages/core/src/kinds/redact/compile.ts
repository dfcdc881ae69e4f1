/** From a route's `response` to its body rule. */
import { encodeBase64Url } from "../../lib/base64url.js";
import type { TextOfAscii } from "../../lib/bytes.js";
import { JsonWriter } from "../../lib/json-writer.js";
import type { BodyOutcome, BodyRule, WrittenJson, WrittenOutcome } from "../../model/compiled.js";
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { sharedSecret } from "../../model/shared-secret.js";
import type { RequestState } from "../../model/state.js";
import { GONE, type Hash, MASK } from "./action.js";
import { NodeBuilder, type NodeCache } from "./builder.js";
import type { InForce } from "./condition.js";
import { redactionsOf } from "./entries.js";
import { project, Walk, type Withheld } from "./evaluate.js";
import { makeLayoutWriter } from "./layout-writer.js";
import type { Node } from "./node.js";
import { makeMemberScanner } from "./scan-code.js";
import { asksForJson, scan } from "./scan.js";
import { SchemaReader } from "./schema-reader.js";
import { ErrorBodies, ruleFor, schemasByStatus, type StatusRule } from "./statuses.js";
import { LEFT_OUT, NO_VALUE, write } from "./write.js";

/** 128 bits nobody guesses: the same as of hashes in events. */
const MIN_KEY = 16;

export async function compileRedact(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<CompiledKind> {
  const hash = await hashUnder(policy, environment);
  const { generatesCode, textOfAscii } = environment.platform;
  const reader = new SchemaReader(policy.schemas, environment.report);
  const tools = { reader, errorBodies: new ErrorBodies(reader), whole: reader.foreign(true) };
  const shared: NodeCache = new Map();
  const make = generatesCode ? { writer: makeLayoutWriter, scanner: makeMemberScanner } : undefined;
  const projecting = (
    route: ResolvedRoute,
    ruleOf: (builder: NodeBuilder) => (status: number) => StatusRule,
  ): BodyRule => {
    const redactions = redactionsOf(policy, route, environment.report);
    const builder = new NodeBuilder(reader, shared, redactions.pointers, redactions.actions, make);
    const withholds = route.response.onMismatch === "withhold";
    return new ProjectingRule(ruleOf(builder), redactions.conditions, withholds, hash, textOfAscii);
  };
  return {
    bodyRule: (route) => {
      const { nothing, body, bodies, redact } = route.response;
      if (nothing !== undefined) return NOTHING_LEAVES;
      const redacts = Object.keys(redact?.value ?? {}).length > 0;
      if (body === undefined && bodies === undefined && !redacts) return undefined;
      const schemas = schemasByStatus(route, reader);
      return projecting(route, (builder) => (status) => ruleFor(route, status, schemas, builder, tools));
    },
    eventRule: (route) => {
      const { events } = route.response;
      if (events === undefined) return undefined;
      const place = reader.rootAt(events.value, events.pointer);
      return projecting(route, (builder) => {
        const step = builder.root(reader.expand(place));
        return () => ({ kind: "node", step });
      });
    },
  };
}

/** The checks refuse `hash` without a key; until then, and where the key's secret is missing, nothing is served. */
async function hashUnder(policy: ResolvedPolicy, environment: CompileEnvironment): Promise<Hash> {
  const reference = policy.document.redaction?.key;
  if (reference === undefined) return () => MASK;
  const key = await sharedSecret(reference, "/redaction/key", { leastBytes: MIN_KEY }, environment);
  if (key === undefined) return () => MASK;
  const { platform } = environment;
  return (json) => encodeBase64Url(platform.hmacSha256(key.current, json));
}

const NOTHING_LEAVES: BodyRule = {
  needsBody: () => true,
  readsBody: false,
  apply: () => ({ kind: "empty" }),
};

const NO_JSON = "the answer is no JSON value";

/** A getter or `toJSON` of the handler's threw, or there was a BigInt: JSON.stringify would have thrown as well. */
const UNWRITABLE: Withheld = {
  code: "unreadable-response",
  reason: "the answer cannot be written as JSON",
};

const NO_CONDITIONS: readonly boolean[] = [];

class ProjectingRule implements BodyRule {
  readonly readsBody = true;
  /** By status, made when the first answer of that status leaves. */
  readonly #rules = new Map<number, StatusRule>();

  constructor(
    private readonly ruleFor: (status: number) => StatusRule,
    private readonly conditions: readonly InForce[],
    private readonly withholds: boolean,
    private readonly hash: Hash,
    private readonly textOfAscii: TextOfAscii | undefined,
  ) {}

  needsBody(): boolean {
    return true;
  }

  applyToText(json: string | Uint8Array, status: number, state: RequestState): WrittenJson | undefined {
    const rule = this.#ruleOf(status);
    // The notes of a trace are taken on the walk over the value.
    if (rule.kind === "uncovered" || rule.step === undefined || state.tracing) return undefined;
    const walk = new Walk(state, true, this.#active(state), this.hash);
    return scan(rule.step, json, walk, this.textOfAscii);
  }

  write(value: unknown, status: number, state: RequestState): WrittenOutcome | undefined {
    const rule = this.#ruleOf(status);
    // The notes of a trace are taken on the other walk.
    if (rule.kind === "uncovered" || rule.step === undefined || state.tracing || asksForJson())
      return undefined;
    const walk = new Walk(state, this.withholds, this.#active(state), this.hash);
    return writtenOf(rule.step, value, walk, this.textOfAscii);
  }

  apply(value: unknown, status: number, state: RequestState): BodyOutcome {
    const rule = this.#ruleOf(status);
    if (rule.kind === "uncovered") {
      return { kind: "withheld", code: "response-mismatch", reason: `no schema covers the status ${status}` };
    }
    if (rule.step === undefined) return { kind: "empty" };
    return outcomeOf(rule.step, value, new Walk(state, this.withholds, this.#active(state), this.hash));
  }

  #ruleOf(status: number): StatusRule {
    let rule = this.#rules.get(status);
    if (rule === undefined) this.#rules.set(status, (rule = this.ruleFor(status)));
    return rule;
  }

  #active(state: RequestState): readonly boolean[] {
    const { conditions } = this;
    return conditions.length === 0 ? NO_CONDITIONS : conditions.map((inForce) => inForce(state));
  }
}

function writtenOf(
  node: Node,
  value: unknown,
  walk: Walk,
  textOfAscii: TextOfAscii | undefined,
): WrittenOutcome {
  const out = JsonWriter.take();
  try {
    const became = write(node, value, "", 0, walk, out);
    if (became === NO_VALUE) walk.withhold("unreadable-response", NO_JSON);
    if (walk.withheld !== undefined) return { kind: "withheld", ...walk.withheld };
    return became === LEFT_OUT ? { kind: "empty" } : { kind: "written", json: out.taken(textOfAscii) };
  } catch {
    return { kind: "withheld", ...(walk.withheld ?? UNWRITABLE) };
  } finally {
    JsonWriter.giveBack(out);
  }
}

function outcomeOf(node: Node, value: unknown, walk: Walk): BodyOutcome {
  let left: unknown;
  try {
    left = project(node, value, "", 0, walk);
  } catch {
    walk.withheld ??= UNWRITABLE;
  }
  if (walk.withheld !== undefined) return { kind: "withheld", ...walk.withheld };
  if (left === GONE) return { kind: "empty" };
  if (left === undefined) return { kind: "withheld", code: "unreadable-response", reason: NO_JSON };
  return { kind: "json", value: left };
}
