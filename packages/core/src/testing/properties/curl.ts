/** A request as a line to type, with a variable where a credential stands. */
import type { ResolvedPolicy } from "../../model/resolved.js";
import type { KnownPerson } from "../people.js";
import type { TestRequest } from "../policy-test.gen.js";
import { sentRequest } from "../request.js";

export function curlLine(
  request: TestRequest,
  person: KnownPerson | undefined,
  policy: ResolvedPolicy,
): string {
  const standIn = person && {
    ...person,
    credentials: person.credentials.map((one) => ({
      ...one,
      text: () => variableFor(one.authenticator.name),
    })),
  };
  const sent = sentRequest(request, {}, standIn, { now: 0, start: 0 }, policy);
  const host = sent.headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "api.test";
  // What a shell fills in is not to be percent-encoded before.
  const target = sent.target.replaceAll(/%24(?=[A-Z0-9_]+_CREDENTIAL)/gu, "$");
  const url = target.startsWith("/") ? `https://${host}${target}` : target;
  const fields = sent.headers.filter(([name]) => !["host", "content-length"].includes(name.toLowerCase()));
  return [
    "curl -si --path-as-is",
    ...(sent.method === "GET" ? [] : sent.method === "HEAD" ? ["-I"] : [`-X ${sent.method}`]),
    ...fields.map((field) => `-H ${quoted(field.join(": "))}`),
    ...(sent.content === undefined ? [] : [`--data-raw ${quoted(new TextDecoder().decode(sent.content))}`]),
    quoted(url),
  ].join(" ");
}

function variableFor(authenticator: string): string {
  return `$${authenticator.toUpperCase().replaceAll(/[^A-Z0-9]/gu, "_")}_CREDENTIAL`;
}

/** For a shell: in double quotes only where a variable has to be filled in. */
function quoted(text: string): string {
  if (!/\$[A-Z0-9_]+_CREDENTIAL/u.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  return `"${text.replaceAll(/["`\\]/gu, "\\$&")}"`;
}
