/** Who may call: by kind of credential, for names of schemes are everybody's own. */
import type { ApiModel, Need, Operation } from "./model.js";
import type { Direction } from "./schema-drift.js";

interface Found {
  readonly direction: Direction;
  readonly message: string;
}

const ANYBODY = "nothing";

export function securityDifferences(
  theirs: Operation,
  own: Operation,
  description: ApiModel,
  policy: ApiModel,
): readonly Found[] {
  if (theirs.security === undefined)
    return [{ direction: "unknown", message: "the description does not say who may call" }];
  const described = waysOf(theirs.security, description);
  const enforced = waysOf(own.security ?? [], policy);
  const found: Found[] = [];
  for (const [way, scopes] of described) {
    const other = enforced.get(way);
    if (other === undefined)
      found.push({ direction: "stricter", message: `callers with ${way} are described, and not let in` });
    else found.push(...scopeDifferences(way, scopes, other));
  }
  for (const way of enforced.keys())
    if (!described.has(way))
      found.push({ direction: "looser", message: `callers with ${way} are let in, and not described` });
  return found;
}

function scopeDifferences(
  way: string,
  theirs: ReadonlySet<string>,
  own: ReadonlySet<string>,
): readonly Found[] {
  const more = [...own].filter((scope) => !theirs.has(scope));
  const less = [...theirs].filter((scope) => !own.has(scope));
  const list = (scopes: readonly string[]): string => scopes.map((scope) => `\`${scope}\``).join(", ");
  return [
    ...(more.length > 0
      ? [
          {
            direction: "stricter" as const,
            message: `callers with ${way} need the scope ${list(more)} by the policy alone`,
          },
        ]
      : []),
    ...(less.length > 0
      ? [
          {
            direction: "looser" as const,
            message: `callers with ${way} need the scope ${list(less)} by the description alone`,
          },
        ]
      : []),
  ];
}

/** Kind of what is presented, to the scopes that it must bring. Where two ways are of one kind, what both ask counts. */
function waysOf(
  security: readonly (readonly Need[])[],
  model: ApiModel,
): ReadonlyMap<string, ReadonlySet<string>> {
  const ways = new Map<string, ReadonlySet<string>>();
  for (const needs of security.length === 0 ? [[]] : security) {
    const way =
      needs.length === 0
        ? ANYBODY
        : needs
            .map(({ scheme }) => kindOf(scheme, model))
            .sort()
            .join(" and ");
    const scopes = new Set(needs.flatMap((need) => need.scopes));
    const before = ways.get(way);
    ways.set(way, before === undefined ? scopes : new Set([...scopes].filter((scope) => before.has(scope))));
  }
  return ways;
}

function kindOf(name: string, { schemes }: ApiModel): string {
  const scheme = Object.hasOwn(schemes, name) ? schemes[name] : undefined;
  switch (scheme?.kind) {
    case "jwt":
      return "a bearer token";
    case "api-key":
      return `a key in the ${scheme.in} \`${scheme.in === "header" ? scheme.name.toLowerCase() : scheme.name}\``;
    case "http":
      return `\`${scheme.scheme.toLowerCase()}\` credentials`;
    case "mutual-tls":
      return "a client certificate";
    case "unknown":
    case undefined:
      return `something of no known kind (\`${name}\`)`;
  }
}
