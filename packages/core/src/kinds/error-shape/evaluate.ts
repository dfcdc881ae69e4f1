/** Writes one error body: prepared text with ids between. No value of the caller's but a well-formed correlation id. */
import { escapeJson } from "../../lib/json-escape.js";
import type { ShapedError } from "../../model/compiled.js";
import type { Refusal } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";

export interface StandardText {
  readonly kind: "standard";
  readonly status: number;
  /** False under `expose: "none"`: nothing but type, title, status and correlation. */
  readonly told: boolean;
  /** Up to the instance's id, or whole up to `status`. */
  readonly head: string;
  /** From the instance's id, where it is told, up to the correlation id or to what a refusal adds. */
  readonly middle: string;
  /** A correlation id follows. */
  readonly correlated: boolean;
  /** Bytes of the text around the ids. */
  readonly bytes: number;
}

export interface TemplateText {
  readonly kind: "template";
  readonly status: number;
  /** The correlation id goes between each two. */
  readonly pieces: readonly string[];
  /** Bytes of all of them. */
  readonly bytes: number;
}

export type ErrorText = StandardText | TemplateText;

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

/** Ids are ASCII: as many bytes as characters. */
export function writeTemplate({ pieces, bytes }: TemplateText, { correlation }: RequestState): ShapedError {
  return {
    contentType: "application/json",
    body: pieces.join(correlation),
    bytes: bytes + (pieces.length - 1) * correlation.length,
  };
}

export function writeStandard(text: StandardText, refusal: Refusal, state: RequestState): ShapedError {
  let { head: body, bytes } = text;
  if (text.told) {
    const { id } = state;
    body += id + text.middle;
    bytes += id.length;
  } else body += text.middle;
  if (text.correlated) {
    const { correlation } = state;
    body += `${correlation}"`;
    bytes += correlation.length;
  }
  const members = text.told ? dynamicMembers(refusal) : "";
  const contentType = "application/problem+json";
  return members === ""
    ? { contentType, body: `${body}}`, bytes }
    : { contentType, body: `${body}${members}}`, bytes: undefined };
}

/** Places of problems may hold names that the caller chose: escaped like all text that could be shown somewhere. */
function dynamicMembers({ errors, members }: Refusal): string {
  if (errors === undefined && members === undefined) return "";
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
