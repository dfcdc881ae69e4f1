/** The servers that a case's engine calls: they are not there, and answer what the case says. */
import type { Fetch } from "../index.js";
import type { OutsideAnswer } from "./case.js";

export type Outside = Readonly<Record<string, readonly OutsideAnswer[]>>;

/** Whatever a case does not name cannot be reached. */
export function fetchFrom(outside: Outside): Fetch {
  const given = new Map<OutsideAnswer, number>();
  return (url, { body }) => {
    const sent = typeof body === "string" ? body : "";
    const answer = (Object.hasOwn(outside, url) ? (outside[url] ?? []) : []).find(
      (one) => sent.includes(one.when ?? "") && (given.get(one) ?? 0) < (one.times ?? Infinity),
    );
    if (answer === undefined || answer.fails === true) return Promise.reject(new TypeError("fetch failed"));
    given.set(answer, (given.get(answer) ?? 0) + 1);
    return Promise.resolve(responseOf(answer));
  };
}

function responseOf({ status = 200, headers = [], json, text }: OutsideAnswer): Response {
  const fields = new Headers(headers.map(([name, value]): [string, string] => [name, value]));
  if (json !== undefined && !fields.has("content-type")) fields.set("Content-Type", "application/json");
  return new Response(text ?? (json === undefined ? null : JSON.stringify(json)), {
    status,
    headers: fields,
  });
}
