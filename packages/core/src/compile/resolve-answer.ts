/** The answer side of a route: response, headers and error shape, member by member. */
import { pointerTo } from "../lib/pointer.js";
import { byName } from "../lib/sorted.js";
import type { ErrorsSettings, HeadersSettings, ResponseSettings, SharedSettings } from "../model/policy.js";
import type {
  Placed,
  ResolvedErrors,
  ResolvedHeaders,
  ResolvedResponse,
  ResolvedRoute,
} from "../model/resolved.js";
import { type Level, inside, nearest } from "./levels.js";

const CORRELATION = "X-Request-Id";

const PRESETS = { api: "api", browser: "web" } as const;

/** What the document may say beside its defaults, farthest of all. */
export type AnswerLevel = Level<Pick<SharedSettings, "headers" | "errors">>;

export function resolveResponse(levels: readonly Level<SharedSettings>[]): ResolvedResponse {
  const members: Level<ResponseSettings>[] = inside(levels, "response");
  const nothing = shutBy(levels);
  // `body` and `bodies` say the same thing in two forms: the nearest level that has either replaces both.
  const shape = nothing === undefined ? members.find(({ settings }) => declaresBody(settings)) : undefined;
  const declared = shape === undefined ? [] : [shape];
  return {
    nothing,
    body: nearest(declared, "body"),
    bodies: nearest(declared, "bodies"),
    // A farther level has no say behind `response: false`.
    events: nearest(inside(untilShut(levels), "response"), "events"),
    redact: nearest(members, "redact"),
    onMismatch: nearest(members, "onMismatch")?.value ?? "report",
    encode: nearest(members, "encode")?.value ?? false,
    sanitize: nearest(members, "sanitize"),
  };
}

/** `response: false`, unless a nearer level declares what may leave. */
function shutBy(levels: readonly Level<SharedSettings>[]): Placed<false> | undefined {
  for (const { settings, pointer, from } of levels) {
    const { response } = settings;
    if (response === undefined) continue;
    if (response === false) return { value: false, pointer: pointerTo(pointer, "response"), from };
    if (declaresBody(response)) return undefined;
  }
  return undefined;
}

function untilShut(levels: readonly Level<SharedSettings>[]): readonly Level<SharedSettings>[] {
  const shut = levels.findIndex(({ settings }) => settings.response === false);
  return shut < 0 ? levels : levels.slice(0, shut);
}

function declaresBody(response: ResponseSettings): boolean {
  return response.body !== undefined || response.bodies !== undefined;
}

/** @param audience pages have the preset for pages, unless one is written */
export function resolveHeaders(
  levels: readonly AnswerLevel[],
  audience: ResolvedRoute["audience"],
): ResolvedHeaders {
  const members: Level<HeadersSettings>[] = inside(levels, "headers");
  const fields = new Map<string, { name: string; value: string; pointer: string }>();
  for (const { settings, pointer } of members) {
    for (const [name, value] of Object.entries(settings)) {
      const lower = name.toLowerCase();
      if (name === "preset" || value === undefined || fields.has(lower)) continue;
      fields.set(lower, { name, value, pointer: pointerTo(pointer, name) });
    }
  }
  const sorted = [...fields].sort(([a], [b]) => byName(a, b));
  return { preset: nearest(members, "preset")?.value ?? PRESETS[audience], fields: new Map(sorted) };
}

export function resolveErrors(levels: readonly AnswerLevel[]): ResolvedErrors {
  const members: Level<ErrorsSettings>[] = inside(levels, "errors");
  const correlation = nearest(members, "correlation")?.value ?? CORRELATION;
  return {
    typeBase: nearest(members, "typeBase")?.value,
    correlation: correlation === false ? undefined : correlation,
    expose: nearest(members, "expose")?.value ?? "code",
    bodies: nearest(members, "bodies"),
  };
}
