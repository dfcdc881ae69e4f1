/**
 * Everything constant of an error body is written once, a template of the author's while the policy is compiled, the rest with the first refusal
 * of its code; a refusal only puts the ids in.
 */
import { ERRORS, type ErrorCode, type ErrorEntry } from "../../errors/codes.js";
import { phraseOf } from "../../lib/status-phrase.js";
import type { ErrorShaper, HeaderContribution } from "../../model/compiled.js";
import type { CompiledKind } from "../../model/kind.js";
import type { ResolvedErrors, ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { type ErrorText, writeStandard, writeTemplate } from "./evaluate.js";
import { prepareTemplate, quoted } from "./template.js";

export function compileErrorShape(policy: ResolvedPolicy): CompiledKind {
  // Most routes share the document's settings: one shaper for all of them.
  const shapers = new Map<string, ErrorShaper>();
  const shaperFor = (errors: ResolvedErrors): ErrorShaper => {
    const key = keyOf(errors);
    const shaper = shapers.get(key) ?? shaperOf(errors);
    shapers.set(key, shaper);
    return shaper;
  };
  for (const errors of new Set([policy.unmatched, ...policy.routes].map((route) => route.errors)))
    shaperFor(errors);
  return { errors: (route) => shaperFor(route.errors), headers: correlationHeader };
}

function keyOf({ typeBase, correlation, expose, bodies }: ResolvedErrors): string {
  return JSON.stringify([typeBase ?? null, correlation ?? null, expose, bodies?.pointer ?? null]);
}

/** On every answer, so that a caller can name the decision that he asks about. */
function correlationHeader({ errors }: ResolvedRoute): HeaderContribution | undefined {
  const name = errors.correlation;
  if (name === undefined) return undefined;
  return { dynamic: (state, sink) => sink.set(name, state.correlation) };
}

function shaperOf(errors: ResolvedErrors): ErrorShaper {
  const texts = new Map<ErrorCode, ErrorText>();
  // What an author wrote must be known to be right before anything is served.
  if (errors.bodies !== undefined)
    for (const code of Object.keys(ERRORS).filter(isErrorCode))
      texts.set(code, prepare(errors, code, ERRORS[code].status));
  /** Codes that went out with another status than their own: at most one entry a code and status. */
  const unusual = new Map<string, ErrorText>();
  const textFor = (code: ErrorCode, status: number): ErrorText => {
    const usual = texts.get(code);
    if (usual !== undefined && usual.status === status) return usual;
    if (usual === undefined && ERRORS[code].status === status) {
      const made = prepare(errors, code, status);
      texts.set(code, made);
      return made;
    }
    const key = `${code} ${status}`;
    const known = unusual.get(key);
    if (known !== undefined) return known;
    const made = prepare(errors, code, status);
    unusual.set(key, made);
    return made;
  };
  return {
    shape: (refusal, status, state) => {
      const text = textFor(refusal.code, status);
      return text.kind === "template" ? writeTemplate(text, state) : writeStandard(text, refusal, state);
    },
  };
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** A template for the code goes before one for the status. */
function prepare(errors: ResolvedErrors, code: ErrorCode, status: number): ErrorText {
  const told = errors.expose === "code";
  const entry: ErrorEntry = ERRORS[code];
  // The code's title speaks of its own status; "internal server error" on a 502 would be wrong.
  const title = told && entry.status === status ? entry.title : phraseOf(status);
  const bodies = errors.bodies?.value ?? {};
  for (const key of [code, String(status)]) {
    if (Object.hasOwn(bodies, key)) {
      const constants = { code, title, detail: told ? (entry.detail ?? "") : "" };
      const pieces = prepareTemplate(bodies[key], constants);
      return { kind: "template", status, pieces, bytes: bytesIn(pieces.join("")) };
    }
  }
  const type = told && errors.typeBase !== undefined ? errors.typeBase + code : "about:blank";
  let head = `{"type":${quoted(type)},"title":${quoted(title)},"status":${status}`;
  if (told && entry.detail !== undefined) head += `,"detail":${quoted(entry.detail)}`;
  if (told) head += ',"instance":"urn:uuid:';
  const correlated = errors.correlation !== undefined;
  const middle = (told ? `","code":${quoted(code)}` : "") + (correlated ? ',"correlation":"' : "");
  const end = correlated ? '"}' : "}";
  return { kind: "standard", status, told, head, middle, correlated, bytes: bytesIn(head + middle + end) };
}

/** In UTF-8. */
function bytesIn(text: string): number {
  return UTF8.encode(text).length;
}

const UTF8 = new TextEncoder();
