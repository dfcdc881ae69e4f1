/** Document → compiled policy: every kind's part of every route, merged and in order, before the first request. */
import { PolicyError, type Report } from "../errors/diagnostics.js";
import type { CompiledRoute, ErrorShaper, HeaderContribution, Stage } from "../model/compiled.js";
import type { KindHealth } from "../model/health.js";
import type { CompiledKind, CompileEnvironment } from "../model/kind.js";
import type { PolicyDocument } from "../model/policy.js";
import type { NormalizedRequest, RawRequest } from "../model/request.js";
import type { Refusal } from "../model/outcome.js";
import type { PatternPart, ResolvedPolicy, ResolvedRoute } from "../model/resolved.js";
import { compileRouter } from "../match/compile-routes.js";
import {
  takeInventory,
  type Precedence,
  type RegisteredRoute,
  type RouteInventory,
} from "../match/inventory.js";
import { readingOf } from "../match/reading.js";
import type { FrameworkMatching, Router } from "../match/router.js";
import { compileNormalizer } from "../normalize/index.js";
import { rankOf } from "../stages.js";
import { inTurn } from "./body-rule.js";
import { planHeaders } from "./header-plan.js";
import { KINDS } from "./kinds.js";
import { isProvedLate, withLateProof } from "./late-stages.js";
import { metadataRoute } from "./metadata-route.js";
import { isKeyProblem, parsePath } from "./path-pattern.js";
import { withPositions } from "./positions.js";
import { routeStage } from "./route-stage.js";
import { whenAsked } from "./when-asked.js";

export interface CompiledPolicy {
  readonly document: PolicyDocument;
  readonly resolved: ResolvedPolicy;
  readonly name: string;
  readonly revision: string;
  /**
   * By the index that the router tells. Put together when it is first asked for: of many routes a process may serve few, and none of them
   * delays its start. Nothing can be wrong with it any more, and nothing is loaded for it.
   */
  readonly route: (index: number) => CompiledRoute | undefined;
  /** What holds where no route matched. */
  readonly unmatched: CompiledRoute;
  /** What holds where the head cannot be read in one way. */
  readonly unreadable: CompiledRoute;
  /** A path that the policy answers itself. */
  readonly metadata: { readonly path: string; readonly route: CompiledRoute } | undefined;
  readonly health: () => KindHealth;
  readonly normalize: (raw: RawRequest) => NormalizedRequest | Refusal;
  /** @throws PolicyError when two routes cannot be told apart under this matching */
  router(matching: FrameworkMatching, report: Report): Router;
  inventory(
    matching: FrameworkMatching,
    registered: readonly RegisteredRoute[],
    precedence: Precedence,
  ): RouteInventory;
}

/** @throws PolicyError with every problem that only the environment could show */
export async function compilePolicy(
  resolved: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<CompiledPolicy> {
  const kinds: CompiledKind[] = [];
  for (const kind of KINDS) kinds.push(await kind.compile(resolved, environment));
  if (environment.report.failed) {
    throw new PolicyError(withPositions(resolved.document, environment.report.diagnostics));
  }
  const own = metadataRoute(resolved);
  const unmatched = compileRoute(resolved.unmatched, kinds, [routeStage]);
  return Object.freeze({
    document: resolved.document,
    resolved,
    name: resolved.document.name,
    get revision() {
      return environment.revision;
    },
    route: whenAsked(resolved.routes, (route) => {
      const compiled = compileRoute(route, kinds, []);
      // The checks saw nothing. If they missed something, a rule is missing here, and nobody may come in for want of it.
      if (environment.report.failed) throw new PolicyError(environment.report.diagnostics);
      return compiled;
    }),
    unmatched,
    unreadable: { ...unmatched, observe: unmatched.observe && resolved.routes.every(isObserved) },
    metadata: own && { path: own.path, route: compileRoute(own.resolved, kinds, [own.stage]) },
    health: () => Object.assign({}, ...kinds.map((kind) => kind.health?.())) as KindHealth,
    normalize: compileNormalizer(resolved, { sha256Hex: environment.platform.sha256Hex }),
    router: (matching: FrameworkMatching, report: Report) => compileRouter(resolved, matching, report),
    inventory: (
      matching: FrameworkMatching,
      registered: readonly RegisteredRoute[],
      precedence: Precedence,
    ) => takeInventory(resolved, readingOf(matching), registered, precedence, patternOf),
  });
}

function patternOf(path: string): readonly PatternPart[] | undefined {
  const parts = parsePath(path);
  return isKeyProblem(parts) ? undefined : parts;
}

/** One route that is enforced is enough to keep unreadable heads out: the handler may read one as a request for it. */
function isObserved({ mode }: ResolvedRoute): boolean {
  return mode === "observe";
}

function compileRoute(
  resolved: ResolvedRoute,
  kinds: readonly CompiledKind[],
  own: readonly Stage[],
): CompiledRoute {
  const ordered = inOrder([...own, ...kinds.flatMap((kind) => kind.stages?.(resolved) ?? [])]);
  const late = isProvedLate(resolved);
  const readsBody = resolved.request.body !== undefined;
  const stages = late ? withLateProof(ordered, readsBody) : ordered;
  const hasBodyStages = readsBody || late;
  const contributions = kinds
    .map((kind) => kind.headers?.(resolved))
    .filter((contribution): contribution is HeaderContribution => contribution !== undefined);
  const eventRule = first(kinds, (kind) => kind.eventRule?.(resolved));
  const afterRule = first(kinds, (kind) => kind.afterRule?.(resolved));
  return Object.freeze({
    key: resolved.key,
    resolved,
    observe: resolved.mode === "observe",
    conceal: resolved.conceal,
    correlationField: resolved.errors.correlation?.toLowerCase(),
    challenge: kinds.flatMap((kind) => kind.challenge?.(resolved) ?? []),
    head: stages.filter((stage) => !hasBodyStages || !runsOnBody(stage)),
    body: hasBodyStages ? stages.filter(runsOnBody) : [],
    readsBody,
    preflight: preflightOf(resolved, kinds),
    maxBody: resolved.request.maxBody,
    types: resolved.request.types.value,
    response: {
      body: inTurn(
        first(kinds, (kind) => kind.bodyRule?.(resolved)),
        afterRule,
      ),
      events: eventRule === undefined ? undefined : inTurn(eventRule, afterRule),
      encode: first(kinds, (kind) => kind.encode?.(resolved)),
      headers: planHeaders(contributions),
      errors: shaperOf(resolved, kinds),
      readsAnswer: kinds.some((kind) => kind.readsAnswer?.(resolved) === true),
    },
    recorded: kinds.flatMap((kind) => kind.recorded?.(resolved) ?? []),
  });
}

const BODY_RANK = rankOf("body");

function runsOnBody(stage: Stage): boolean {
  return stage.phase === undefined ? rankOf(stage.at) >= BODY_RANK : stage.phase === "body";
}

function inOrder(stages: readonly Stage[]): readonly Stage[] {
  return [...stages].sort((a, b) => rankOf(a.at) - rankOf(b.at));
}

/** Without `cors` a preflight is an ordinary OPTIONS. */
function preflightOf(resolved: ResolvedRoute, kinds: readonly CompiledKind[]): readonly Stage[] | undefined {
  if (resolved.cors === undefined || resolved.cors.value === "none") return undefined;
  return inOrder(kinds.flatMap((kind) => kind.preflight?.(resolved) ?? []));
}

function first<T>(
  kinds: readonly CompiledKind[],
  pick: (kind: CompiledKind) => T | undefined,
): T | undefined {
  for (const kind of kinds) {
    const picked = pick(kind);
    if (picked !== undefined) return picked;
  }
  return undefined;
}

function shaperOf(resolved: ResolvedRoute, kinds: readonly CompiledKind[]): ErrorShaper {
  const shaper = first(kinds, (kind) => kind.errors?.(resolved));
  if (shaper === undefined) throw new Error("no kind shapes errors: the list of kinds is incomplete");
  return shaper;
}
