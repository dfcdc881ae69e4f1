/** From `sanitize` of a route to its stage and its rule; what HTML needs is loaded and proved here, or the policy is refused. */
import type { CompiledKind, CompileEnvironment } from "../../model/kind.js";
import type { SanitizeSettings } from "../../model/policy.js";
import type { Placed, ResolvedPolicy, ResolvedResponse, ResolvedRoute } from "../../model/resolved.js";
import { type HtmlSanitizer, HtmlSanitizerError } from "../../ports/html-sanitizer.js";
import { needsHtml, planOf } from "./plan.js";
import { boundsOf, htmlProfiles } from "./profiles.js";
import { sanitizeStage } from "./request.js";
import { sanitizeRule } from "./response.js";

export async function compileSanitize(
  policy: ResolvedPolicy,
  environment: CompileEnvironment,
): Promise<CompiledKind> {
  const asking = policy.routes.flatMap(settingsOf).find(({ value }) => needsHtml(value));
  const html = asking === undefined ? undefined : await openFor(asking, environment);
  const profiles = htmlProfiles(policy.document);
  const bounds = boundsOf(policy.document);
  return {
    stages: (route) => {
      const { sanitize, body } = route.request;
      const plan = body === undefined ? undefined : planOf(sanitize, profiles);
      if (plan === undefined || sanitize === undefined) return [];
      const observe = route.mode === "observe";
      return [sanitizeStage({ plan, rule: sanitize.pointer, observe, bounds, html })];
    },
    afterRule: (route) => {
      const { sanitize } = route.response;
      const plan = letsOut(route.response) ? planOf(sanitize, profiles) : undefined;
      return plan === undefined ? undefined : sanitizeRule(plan, bounds, html);
    },
  };
}

/** What takes effect on a route. */
function settingsOf({ request, response }: ResolvedRoute): readonly Placed<SanitizeSettings>[] {
  const inward = request.body === undefined ? undefined : request.sanitize;
  const outward = letsOut(response) ? response.sanitize : undefined;
  return [inward, outward].filter((placed) => placed !== undefined);
}

/** Behind `response: false` of a farther level events may still leave. */
function letsOut({ nothing, events }: ResolvedResponse): boolean {
  return nothing === undefined || events !== undefined;
}

async function openFor(
  { pointer }: Placed<SanitizeSettings>,
  environment: CompileEnvironment,
): Promise<HtmlSanitizer | undefined> {
  try {
    return await environment.html();
  } catch (error) {
    if (error instanceof HtmlSanitizerError) {
      environment.report.error(error.code, pointer, error.message, error.help);
    } else {
      const message = "what sanitizes HTML here failed to load";
      environment.report.error("untrusted-sanitizer", pointer, message, "`npm install jsdom dompurify`");
    }
    return undefined;
  }
}
