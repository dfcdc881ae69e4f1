/** Who may call a route: its authenticators, what they must have, and what each group demands besides. */
import { pointerTo } from "../lib/pointer.js";
import { asList } from "../lib/lists.js";
import type {
  AuthenticateSettings,
  AuthorizeEntry,
  AuthorizeSettings,
  GroupSettings,
  RequireSettings,
} from "../model/policy.js";
import type {
  Placed,
  ResolvedAuthenticate,
  ResolvedAuthenticator,
  ResolvedRoute,
} from "../model/resolved.js";
import type { Level } from "./levels.js";

type Authenticators = ReadonlyMap<string, ResolvedAuthenticator>;

/** First entry of `authenticate`: callers without credentials are let in as anonymous. */
export const OPTIONAL = "optional";

/** What a route says, or the nearest group, or the defaults; where nobody does, any authenticator will do. */
export function resolveAuthenticate(
  written: Placed<AuthenticateSettings> | undefined,
  authenticators: Authenticators,
  route: string,
): ResolvedAuthenticate {
  if (written === undefined) {
    return { pointer: route, mode: "required", anyOf: [...authenticators.values()].map((one) => [one]) };
  }
  const { value, pointer } = written;
  if (value === "none") return { pointer, mode: "none", anyOf: [] };
  const anyOf: ResolvedAuthenticator[][] = [];
  for (const alternative of value) {
    if (alternative === OPTIONAL) continue;
    const names = typeof alternative === "string" ? [alternative] : alternative;
    const together = names.flatMap((name) => authenticators.get(name) ?? []);
    // One unknown name must not turn "both" into "one of them": the alternative falls as a whole.
    if (together.length === names.length) anyOf.push(together);
  }
  return { pointer, mode: value[0] === OPTIONAL ? "optional" : "required", anyOf };
}

export type ResolvedAuthorize = ResolvedRoute["authorize"];
export type ResolvedRequire = ResolvedRoute["require"][number];

/** `require` of each group in which a route stands, outermost first. */
export function resolveRequire(groups: readonly Level<GroupSettings>[]): ResolvedRequire[] {
  return groups.toReversed().flatMap(({ settings, pointer }): ResolvedRequire[] => {
    const { require } = settings;
    if (require === undefined) return [];
    return [{ value: entriesOf(require), pointer: pointerTo(pointer, "require"), from: "group" }];
  });
}

/** Undefined: the route authenticates and nobody says what for. */
export function resolveAuthorize(
  own: Placed<AuthorizeSettings> | undefined,
  defaults: Placed<AuthorizeSettings> | undefined,
  required: readonly ResolvedRequire[],
  mode: ResolvedAuthenticate["mode"],
  route: string,
): ResolvedAuthorize | undefined {
  if (own !== undefined) return { ...own, value: formOf(own.value) };
  if (mode === "none") return { value: "anyone", pointer: route, from: "language" };
  if (required.length > 0) {
    // What the groups demand is all that is asked; on an optional route they also judge anonymous callers.
    return { value: mode === "optional" ? "anyone" : "authenticated", pointer: route, from: "language" };
  }
  return defaults === undefined ? undefined : { ...defaults, value: formOf(defaults.value) };
}

function formOf(settings: AuthorizeSettings): ResolvedAuthorize["value"] {
  return settings === "anyone" ? settings : entriesOf(settings);
}

function entriesOf(settings: RequireSettings): "authenticated" | readonly AuthorizeEntry[] {
  return settings === "authenticated" ? settings : asList(settings);
}
