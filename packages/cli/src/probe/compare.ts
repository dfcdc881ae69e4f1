/** Holds an answer against what the policy says of it. */
import type { PolicyResult } from "@gatehouse/core/testing";
import { isRecord } from "../lib/json.js";
import { jsonOf, type Answer } from "./answer.js";
import type { Reply } from "./client.js";
import type { Difference } from "./finding.js";
import { fieldDifferences } from "./fields.js";
import { stageOf } from "./stages.js";

/** Requests that a parser refuses before anybody's policy is asked. */
const PARSER_REFUSES: ReadonlySet<number> = new Set([400, 408, 411, 413, 414, 417, 431, 501, 505]);

export interface Verdict {
  readonly differences: readonly Difference[];
  /** Which of the expected it was; undefined: none. */
  readonly match: PolicyResult | undefined;
  /** Why nothing can be said of it. */
  readonly unclear?: string;
}

export interface Manner {
  readonly accept: "exact" | "refused";
  /** Whether 404 stands for whatever the route keeps from callers: then it does not tell how far a request got. */
  readonly conceals: boolean;
}

export function compare(expected: readonly PolicyResult[], reply: Reply, manner: Manner): Verdict {
  const verdict = judged(expected, reply, manner);
  if (reply.kind !== "answer" || !isTrace(reply.answer)) return verdict;
  const told: Difference = { kind: "leak", subject: "stack", message: "an answer holds a stack trace" };
  return { ...verdict, differences: [...verdict.differences, told] };
}

/** Where code stands tells an attacker what runs. */
function isTrace({ status, body }: Answer): boolean {
  return (
    status >= 400 &&
    /(?:\n|\\n|<br>|&nbsp;)\s*at [^\n]{1,200}:\d+:\d+/u.test(Buffer.from(body).toString("utf8"))
  );
}

function judged(expected: readonly PolicyResult[], reply: Reply, manner: Manner): Verdict {
  const admits = expected.find(({ outcome }) => outcome === "admit");
  if (reply.kind === "late")
    return { differences: [], match: undefined, unclear: "the server did not answer in time" };
  if (reply.kind === "barred") {
    if (admits === undefined) return { differences: [], match: undefined };
    const message = "the server refuses the connection for its certificate, or for want of one";
    return only({ kind: "stricter", subject: "", message });
  }
  if (reply.kind === "closed") {
    if (admits === undefined) return { differences: [], match: undefined };
    return only({ kind: "stricter", subject: "", message: "the server closed the connection" });
  }
  const { answer, cut } = reply;
  // That it was served shows at once; which refusal it is, only at its end.
  if (cut !== undefined && answer.status >= 400)
    return { differences: [], match: undefined, unclear: `an answer was cut off, since ${cut}` };
  const match = expected.find((one) => one.outcome !== "admit" && isSame(one, answer));
  if (match !== undefined)
    return { differences: [...fieldDifferences(match, answer), ...moreThan(match, answer)], match };
  return admits === undefined ? refusedOtherwise(expected, answer, manner) : admitted(admits, answer, manner);
}

function only(difference: Difference): Verdict {
  return { differences: [difference], match: undefined };
}

/** The policy's own refusal or answer, as far as caller and tools tell refusals apart. */
function isSame(expected: PolicyResult, answer: Answer): boolean {
  if (expected.status !== answer.status) return false;
  if (expected.outcome === "answer" || expected.text === "") return true;
  const theirs = jsonOf(answer.body);
  if (!isRecord(expected.body) || !isRecord(theirs))
    return isRecord(expected.body) === isRecord(theirs) && mediaType(answer) === typeOf(expected);
  const ours = expected.body;
  return ["type", "title", "status", "code"].every((name) => ours[name] === theirs[name]);
}

function mediaType({ fields }: Answer): string {
  const value = fields.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  return (value.split(";")[0] ?? "").trim().toLowerCase();
}

function typeOf({ headers }: PolicyResult): string {
  return (headers["content-type"]?.split(";")[0] ?? "").trim().toLowerCase();
}

/** Members of a refusal that the policy's does not have. */
function moreThan({ body, outcome }: PolicyResult, answer: Answer): readonly Difference[] {
  const theirs = jsonOf(answer.body);
  if (outcome !== "refuse" || !isRecord(theirs)) return [];
  const ours = isRecord(body) ? body : {};
  return Object.keys(theirs)
    .filter((name) => !Object.hasOwn(ours, name))
    .map((name) => ({
      kind: "leak",
      subject: `refusal ${name}`,
      message: `a refusal has a member \`${name}\` that the policy's has not`,
    }));
}

function refusedOtherwise(
  expected: readonly PolicyResult[],
  answer: Answer,
  { accept, conceals }: Manner,
): Verdict {
  const [first] = expected;
  const { status } = answer;
  if (status < 400)
    return only({ kind: "wider", subject: "", message: `served: the policy says ${describe(first)}` });
  const code = codeOf(answer);
  if (code === undefined) {
    if (PARSER_REFUSES.has(status)) return { differences: [], match: undefined };
    if (status >= 500)
      return only({
        kind: "failed",
        subject: "",
        message: `the server failed: the policy says ${describe(first)}`,
      });
    return only({
      kind: "unguarded",
      subject: "",
      message: `the policy says ${describe(first)}, and something else answered`,
    });
  }
  if (status === 503) return { differences: [], match: undefined, unclear: `it answered \`${code}\`` };
  if (status >= 500)
    return only({
      kind: "failed",
      subject: "",
      message: `the server failed: the policy says ${describe(first)}`,
    });
  if (accept === "refused") return { differences: [], match: undefined };
  const stage = conceals && code === "not-found" ? Infinity : stageOf(code);
  const late = expected.every((one) => stage > stageOf(one.code ?? ""));
  return only(
    late
      ? { kind: "later", subject: "", message: `refused only later: the policy says ${describe(first)}` }
      : { kind: "refusal", subject: "", message: `another refusal: the policy says ${describe(first)}` },
  );
}

function admitted(expected: PolicyResult, answer: Answer, { conceals }: Manner): Verdict {
  const code = codeOf(answer);
  const { status } = answer;
  if (status === 503) return { differences: [], match: undefined, unclear: `it answered ${status}` };
  // What the handler does not find looks like what the policy keeps.
  if (conceals && code === "not-found") return { differences: [], match: undefined };
  // What the handler says of its own failures is the application's, as long as it leaves as the policy says.
  if (code === undefined || status >= 500 || stageOf(code) === Infinity)
    return { differences: [], match: expected };
  return only({ kind: "stricter", subject: "", message: "refused: the policy admits it" });
}

/** The code of a refusal that is made as the policy's are; undefined: it is none. */
export function codeOf(answer: Answer): string | undefined {
  const body = jsonOf(answer.body);
  if (!isRecord(body)) return undefined;
  const { code, type, status } = body;
  if (typeof code === "string" && status === answer.status) return code;
  return typeof type === "string" && status === answer.status
    ? (/([a-z-]+)$/u.exec(type)?.[1] ?? undefined)
    : undefined;
}

export function describe(result: PolicyResult | undefined): string {
  if (result === undefined) return "nothing";
  const { outcome, status, code } = result;
  if (outcome === "admit") return "admitted";
  return code === undefined ? `answered with ${status}` : `${status} ${code}`;
}

export function describeReply(reply: Reply): string {
  if (reply.kind === "barred") return `connection refused (${reply.by})`;
  if (reply.kind !== "answer") return reply.kind === "closed" ? "connection closed" : "no answer in time";
  const code = codeOf(reply.answer);
  return code === undefined ? String(reply.answer.status) : `${reply.answer.status} ${code}`;
}
