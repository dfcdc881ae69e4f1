/** Stage `body` by the head alone: whether there may be content, of which type, in which coding, of which declared size. */
import type { Stage } from "../../model/compiled.js";
import type { Refusal } from "../../model/outcome.js";
import type { ResolvedRoute } from "../../model/resolved.js";
import type { RequestState } from "../../model/state.js";
import { mediaTypeMatcher, readMediaType } from "../../normalize/media-type.js";

/** Content of these has no meaning that servers agree on (RFC 9110 section 9.3): only a schema gives it one. */
export const WITHOUT_CONTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS"]);

export function contentStage(route: ResolvedRoute): Stage {
  const accept = acceptance(route);
  return {
    at: "body",
    phase: "head",
    rule: ruleOf(route),
    run: route.request.body === undefined ? unread(route, accept) : read(route, accept),
  };
}

function ruleOf({ request, pointer }: ResolvedRoute): string {
  return request.body?.pointer ?? pointer;
}

/** Nothing reads the body: it streams to the handler, and the adapter counts its bytes. */
function unread(route: ResolvedRoute, accept: (state: RequestState) => Refusal | undefined): Stage["run"] {
  const unexpected: Refusal = {
    kind: "refusal",
    code: "unexpected-body",
    reason: "content came with a method that has none, and no schema reads it",
    rule: ruleOf(route),
    close: true,
  };
  return (state) => {
    if (!state.request.hasContent) return undefined;
    return WITHOUT_CONTENT.has(state.request.method) ? unexpected : accept(state);
  };
}

function read(route: ResolvedRoute, accept: (state: RequestState) => Refusal | undefined): Stage["run"] {
  const missing = missingBody(route);
  const { bodyOptional } = route.request;
  return (state) => {
    if (state.request.hasContent) return accept(state);
    return bodyOptional ? undefined : missing;
  };
}

export function missingBody(route: ResolvedRoute): Refusal {
  return {
    kind: "refusal",
    code: "missing-body",
    reason: "the route reads a body, and none came",
    rule: ruleOf(route),
  };
}

export function tooLarge(route: ResolvedRoute): Refusal {
  return {
    kind: "refusal",
    code: "body-too-large",
    reason: `the content has more than ${route.request.maxBody} bytes`,
    rule: ruleOf(route),
    // What was not read would be taken for the next request.
    close: true,
  };
}

function acceptance(route: ResolvedRoute): (state: RequestState) => Refusal | undefined {
  const { types, maxBody } = route.request;
  const matches = mediaTypeMatcher(types.value);
  const large = tooLarge(route);
  const wrongType: Refusal = {
    kind: "refusal",
    code: "unsupported-media-type",
    reason: "the content type is absent, malformed, not in UTF-8, or not one of `types`",
    rule: types.pointer,
  };
  const wrongCoding: Refusal = {
    kind: "refusal",
    code: "unsupported-media-type",
    reason: "the content is encoded: its size after decoding would be the caller's to choose",
    rule: ruleOf(route),
    // RFC 9110 section 15.5.16: so that the caller can tell this 415 from one about the type.
    headers: [["Accept-Encoding", "identity"]],
  };
  return ({ request }) => {
    const type = readMediaType(request.headers.get("content-type"));
    if (type === undefined || !matches(type)) return wrongType;
    const coding = request.headers.get("content-encoding");
    if (coding !== undefined && coding.toLowerCase() !== "identity") return wrongCoding;
    return request.contentLength !== undefined && request.contentLength > maxBody ? large : undefined;
  };
}
