/** Which points of a policy its tests have reached. */
import { resolve, dirname } from "node:path";
import { checkPolicy, locateInPolicy, PolicyError, type PolicyDocument } from "@gatehouse/core";
import { readPolicy } from "@gatehouse/core/node";
import type { PolicyTestFile, SeenDecision } from "@gatehouse/core/testing";
import { routesOf, type RouteView } from "../lib/routes.js";
import { COVERAGE_KINDS, idOf, type CoverageKind, type CoveragePoint } from "./point.js";
import { pointsOf } from "./points.js";
import { reachedBy } from "./reach.js";

export interface UncoveredPoint extends CoveragePoint {
  /** Where it stands, 1-based; undefined where the policy was not read from a text. */
  readonly line: number | undefined;
  readonly column: number | undefined;
}

export interface PolicyCoverage {
  /** Path of the policy; of one that stands in a file of tests, that file's. */
  readonly policy: string;
  readonly covered: number;
  readonly total: number;
  /** Of the points, whole percents, never rounded up. */
  readonly percent: number;
  readonly kinds: readonly {
    readonly kind: CoverageKind;
    readonly covered: number;
    readonly total: number;
  }[];
  readonly uncovered: readonly UncoveredPoint[];
}

export class CoverageOf {
  readonly #points: readonly CoveragePoint[];
  readonly #reached = new Set<string>();
  readonly #views: ReadonlyMap<string, RouteView>;

  constructor(
    private readonly name: string,
    readonly document: PolicyDocument,
  ) {
    this.#points = pointsOf(document);
    this.#views = new Map(routesOf(document).map((view) => [view.key, view]));
  }

  see(seen: SeenDecision, file: PolicyTestFile): void {
    for (const point of this.reachedBy(seen, file)) this.#reached.add(idOf(point));
  }

  /** Every point of one decision. */
  reachedBy(seen: SeenDecision, file: PolicyTestFile): readonly CoveragePoint[] {
    const found: CoveragePoint[] = [];
    const view = this.#views.get(seen.event.route ?? "");
    reachedBy(seen, file, view, (point) => void found.push(point), this.document.transport ?? {});
    return found;
  }

  report(): PolicyCoverage {
    const isCovered = (point: CoveragePoint): boolean => this.#reached.has(idOf(point));
    const covered = this.#points.filter(isCovered).length;
    const total = this.#points.length;
    const kinds = COVERAGE_KINDS.map((kind) => {
      const own = this.#points.filter((point) => point.kind === kind);
      return { kind, covered: own.filter(isCovered).length, total: own.length };
    }).filter((one) => one.total > 0);
    const uncovered = this.#points
      .filter((point) => !isCovered(point))
      .map((point) => {
        const place = locateInPolicy(this.document, point.pointer);
        return { ...point, line: place?.line, column: place?.column };
      });
    const percent = total === 0 ? 100 : Math.floor((covered / total) * 100);
    return { policy: this.name, covered, total, percent, kinds, uncovered };
  }
}

/** Files of tests that name the same policy are counted together. */
export function policiesOf(): {
  of(file: PolicyTestFile, path: string): Promise<CoverageOf>;
  all(): Iterable<CoverageOf>;
} {
  const known = new Map<string, CoverageOf>();
  return {
    async of(file, path) {
      const { name, document } = await policyOf(file, path);
      const coverage = known.get(name) ?? new CoverageOf(name, document);
      known.set(name, coverage);
      return coverage;
    },
    all: () => known.values(),
  };
}

/**
 * The policy of a file of tests, and by which path it is known.
 * @throws PolicyError (rejects) for one that cannot be served: what reads a document relies on its shape
 */
export async function policyOf(
  file: PolicyTestFile,
  path: string,
): Promise<{ readonly name: string; readonly document: PolicyDocument }> {
  const { policy } = file;
  if (typeof policy === "object")
    return { name: path, document: checked(policy as unknown as PolicyDocument) };
  const name = nameOf(path, policy);
  return { name, document: checked(await readPolicy(name)) };
}

function checked(document: PolicyDocument): PolicyDocument {
  const errors = checkPolicy(document).filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new PolicyError(errors);
  return document;
}

function nameOf(path: string, policy: string): string {
  const whole = resolve(dirname(path), policy);
  const here = `${process.cwd()}/`;
  return whole.startsWith(here) ? whole.slice(here.length) : whole;
}
