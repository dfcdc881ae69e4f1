/** Writes one error body: prepared text with ids between. No value of the caller's but a well-formed correlation id. */
import { escapeJson } from "../../lib/json-escape.js";
import type { Refusal } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";

export interface StandardText {
  readonly kind: "standard";
  readonly status: number;
  /** False under `expose: "none"`: nothing but type, title, status and correlation. */
  readonly told: boolean;
  /** Up to the instance's id, or whole up to `status`. */
  readonly head: string;
  readonly code: string;
  readonly correlation: string | undefined;
}

export interface TemplateText {
  readonly kind: "template";
  readonly status: number;
  /** The correlation id goes between each two. */
  readonly pieces: readonly string[];
}

export type ErrorText = StandardText | TemplateText;

interface Written {
  readonly contentType: string;
  readonly body: string;
}

/** Members that a refusal cannot overwrite. */
const RESERVED: ReadonlySet<string> = new Set([
  "type",
  "title",
  "status",
  "detail",
  "instance",
  "code",
  "correlation",
  "errors",
]);

export function writeTemplate({ pieces }: TemplateText, { correlation }: RequestState): Written {
  return { contentType: "application/json", body: pieces.join(correlation) };
}

export function writeStandard(text: StandardText, refusal: Refusal, state: RequestState): Written {
  let body = text.told ? text.head + state.id + text.code : text.head;
  if (text.correlation !== undefined) body += `${text.correlation}${state.correlation}"`;
  if (text.told) body += dynamicMembers(refusal);
  return { contentType: "application/problem+json", body: `${body}}` };
}

/** Places of problems may hold names that the caller chose: escaped like all text that could be shown somewhere. */
function dynamicMembers({ errors, members }: Refusal): string {
  let text = "";
  if (errors !== undefined && errors.length > 0) {
    const listed = errors.map(({ pointer, rule, message }) => ({ pointer, rule, message }));
    text += `,"errors":${escapeJson(JSON.stringify(listed))}`;
  }
  for (const [name, value] of Object.entries(members ?? {})) {
    if (!RESERVED.has(name)) text += `,${escapeJson(`${JSON.stringify(name)}:${JSON.stringify(value)}`)}`;
  }
  return text;
}
