/**
 * An answer of the handler's, held against what the policy makes of it. What left already was shaped: shaped again it must stay
 * what it is, apart from values that redaction has replaced.
 */
import type { PolicyResult, TestAnswer } from "@gatehouse/core/testing";
import { isList, isRecord } from "../lib/json.js";
import { pointerTo } from "../lib/pointer.js";
import { jsonOf, type Answer } from "./answer.js";
import { fieldDifferences, removedFields } from "./fields.js";
import type { Difference } from "./finding.js";

const FRAMING: ReadonlySet<string> = new Set([
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "date",
]);

/** As a handler would have given it. */
export function handlerAnswer({ status, fields, body }: Answer): TestAnswer {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    if (!FRAMING.has(key)) (headers[key] ??= []).push(value);
  }
  const text = new TextDecoder().decode(body);
  return { status, headers, ...(text === "" ? {} : { text }) };
}

export function shapeDifferences(shaped: PolicyResult, answer: Answer): readonly Difference[] {
  const found: Difference[] = [...fieldDifferences(shaped, answer), ...removedFields(shaped, answer)];
  if (answer.body.length === 0) return found;
  const theirs = jsonOf(answer.body);
  if (shaped.status !== answer.status || (shaped.text === "" && answer.body.length > 0))
    return [
      ...found,
      {
        kind: "leak",
        subject: `withheld ${answer.status}`,
        message: "an answer left that the policy withholds",
      },
    ];
  if (theirs === undefined || shaped.body === undefined) {
    const text = new TextDecoder().decode(answer.body);
    if (shaped.text === text) return found;
    return [
      ...found,
      { kind: "leak", subject: "text", message: "the answer is no JSON of the declared shape" },
    ];
  }
  return [...found, ...members(theirs, shaped.body, "")];
}

function members(theirs: unknown, ours: unknown, at: string): readonly Difference[] {
  if (isList(theirs) && isList(ours))
    return theirs.flatMap((value, index) => members(value, ours[index], pointerTo(at, "*")));
  if (isRecord(theirs) && isRecord(ours))
    return Object.entries(theirs).flatMap(([name, value]) => {
      const place = pointerTo(at, name);
      if (Object.hasOwn(ours, name)) return members(value, ours[name], place);
      return [
        {
          kind: "leak",
          subject: `member ${place}`,
          message: `\`${place}\` left, and the policy does not let it out`,
        },
      ];
    });
  if (theirs === ours || isRedacted(theirs, ours)) return [];
  return [
    { kind: "leak", subject: `value ${at}`, message: `\`${at}\` left as it is, and the policy redacts it` },
  ];
}

const MASK = "***";
const HASH = /^[\w-]{43}$/u;

/** Redacted before: a mask of a mask, the hash of a hash. Text that is encoded again differs by its ampersands alone. */
function isRedacted(theirs: unknown, ours: unknown): boolean {
  if (typeof theirs !== "string" || typeof ours !== "string") return false;
  if (ours.startsWith(MASK)) return theirs.startsWith(MASK);
  if (HASH.test(ours)) return HASH.test(theirs) || theirs === MASK;
  return ours === theirs.replaceAll("&", "&amp;");
}
