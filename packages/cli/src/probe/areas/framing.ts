/** Where one message ends, which of two fields counts: what is refused, or read in two ways. */
import type { TestRequest } from "@gatehouse/core/testing";
import type { Ground, RouteGround } from "../ground.js";
import { withHeaders, type Question, type RawQuestion } from "../question.js";
import { presented } from "./callers.js";

export function* framing(ground: Ground): Iterable<Question | RawQuestion> {
  for (const one of ground.routes) {
    const [base] = one.bases;
    if (base === undefined) continue;
    yield* repeated(one, base.request, ground);
  }
  yield* raw(ground);
}

/** Two of a field of which there is one: the guard must not read another of them than the handler. */
function* repeated(
  { route, bases }: RouteGround,
  request: TestRequest,
  { policy, authority }: Ground,
): Iterable<Question> {
  const ask = (about: string, asked: TestRequest, by?: Question["by"]): Question => ({
    area: "framing",
    about,
    route: route.key,
    by,
    accept: "refused",
    request: asked,
  });
  yield ask("two hosts", withHeaders(request, { Host: [authority, "elsewhere.invalid"] }));
  for (const authenticator of new Set(route.authenticate.anyOf.flat())) {
    if (authenticator.carrier.in !== "header") continue;
    const one = presented(request, authenticator, "no-good-credential");
    const [name = "", value = ""] = Object.entries(one?.headers ?? {}).at(-1) ?? [];
    yield ask(
      `two credentials for \`${authenticator.name}\``,
      withHeaders(request, { [name]: [value].flat().flatMap((text) => [text, text]) }),
    );
  }
  if (request.body !== undefined)
    yield ask(
      "two types of content",
      withHeaders(request, { "Content-Type": ["application/json", "text/plain"] }),
      bases[0]?.by,
    );
  for (const other of policy.authenticators.values()) {
    const [name = ""] = other.carrier.in === "header" ? [other.carrier.name] : [];
    if (name === "" || !name.includes("-")) continue;
    yield ask(
      `\`${name}\` with underscores`,
      withHeaders(request, { [name.replaceAll("-", "_")]: "no-good-credential" }),
    );
  }
}

function* raw({ routes, fields, authority }: Ground): Iterable<RawQuestion> {
  const open = routes.find(
    ({ route, bases }) => route.methods.includes("GET") && bases.some(({ by }) => by === undefined),
  );
  const target = open?.bases[0]?.request.target ?? "/";
  const common = Object.entries({ Host: authority, ...fields }).map((field) => field.join(": "));
  const ask = (about: string, head: readonly string[], content = ""): RawQuestion => ({
    area: "framing",
    about,
    head,
    content,
  });
  const get = `GET ${target} HTTP/1.1`;
  const post = `POST ${target} HTTP/1.1`;
  yield ask("two lengths", [post, ...common, "Content-Length: 0", "Content-Length: 5"], "hello");
  yield ask(
    "a length and chunks",
    [post, ...common, "Content-Length: 5", "Transfer-Encoding: chunked"],
    "0\r\n\r\n",
  );
  yield ask("an encoding that nobody knows", [post, ...common, "Transfer-Encoding: xchunked"], "0\r\n\r\n");
  yield ask("a length with a sign", [post, ...common, "Content-Length: +5"], "hello");
  yield ask("a blank before a colon", [get, ...common, "X-Other : 1"]);
  yield ask("a field that goes on in the next line", [get, ...common, "X-Other: 1", " 2"]);
  yield ask("a zero byte in a field", [get, ...common, "X-Other: 1\0"]);
}
