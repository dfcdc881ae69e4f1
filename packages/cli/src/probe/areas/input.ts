/** What is sent: parameters and content that do not fit, or can be read in two ways. */
import type { ResolvedRoute } from "@gatehouse/core/analysis";
import type { TestRequest } from "@gatehouse/core/testing";
import { isRecord } from "../../lib/json.js";
import type { Base, Ground, RouteGround } from "../ground.js";
import { bare, withHeaders, type Asker, type Question } from "../question.js";
import { isOfCallers } from "./callers.js";

export function* input(ground: Ground): Iterable<Question> {
  for (const one of ground.routes) {
    yield* misses(one);
    for (const base of basesOf(one)) {
      const ask = (about: string, request: TestRequest): Question => ({
        area: "input",
        about,
        route: one.route.key,
        by: base.by,
        request,
      });
      yield* params(base, one.route, ask);
      yield* query(base, ask);
      if (base.request.body === undefined) yield* uninvited(base, ask);
      else yield* content(base, one.route, ask);
    }
  }
}

type Ask = (about: string, request: TestRequest) => Question;

/** What is read is the same for all callers: one of them is enough. */
function basesOf({ bases }: RouteGround): readonly Base[] {
  return bases.slice(0, 1);
}

function* misses({ route, misses: near }: RouteGround): Iterable<Question> {
  for (const { as, request, fault = "" } of near) {
    if (isOfCallers(fault)) continue;
    const by: Asker | undefined = as === undefined ? undefined : { name: fault, person: as, genuine: true };
    yield { area: "input", about: fault, route: route.key, by, request };
  }
}

/** What a careless handler puts into a query, a path of a file, or a number. */
const ODD_VALUES = ["no-such-one", "0", "-1", "1e9", "%27%20or%20%271%27=%271", "a".repeat(300)];

function* params({ request }: Base, { pattern }: ResolvedRoute, ask: Ask): Iterable<Question> {
  const [path = "", ...rest] = request.target.split("?");
  for (const [index, part] of pattern.entries()) {
    if (part.kind !== "param") continue;
    for (const value of ODD_VALUES) {
      const segments = path.split("/").slice(1);
      segments[index] = value;
      const target = [`/${segments.join("/")}`, ...rest].join("?");
      yield ask(`an odd \`${part.name}\` (\`${value.slice(0, 24)}\`)`, { ...request, target });
    }
  }
}

function* query({ request }: Base, ask: Ask): Iterable<Question> {
  const { target } = request;
  const more = (text: string): TestRequest => ({
    ...request,
    target: `${target}${target.includes("?") ? "&" : "?"}${text}`,
  });
  yield ask("a parameter that nobody declared", more("undeclared=1"));
  yield ask("a parameter with an operator of a database", more("a[$ne]=1"));
  yield ask("a parameter `__proto__`", more("__proto__[admin]=1"));
  yield ask("a parameter with a broken escape", more("a=%zz"));
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (typeof value === "string")
      yield ask(`\`${name}\` twice`, more(`${name}=${encodeURIComponent(value)}`));
}

function* uninvited({ request }: Base, ask: Ask): Iterable<Question> {
  yield ask("content where none belongs", { ...bare(request), body: { undeclared: 1 } });
  yield ask(
    "text where no content belongs",
    withHeaders({ ...bare(request), text: "x" }, { "Content-Type": "text/plain" }),
  );
}

/** Larger would be sent for long, and read by nobody. */
const MOST_BYTES = 4_000_000;

function* content({ request }: Base, { request: rule }: ResolvedRoute, ask: Ask): Iterable<Question> {
  const written = JSON.stringify(request.body) ?? "";
  const text = (value: string, type = "application/json"): TestRequest =>
    withHeaders({ ...bare(request), text: value }, { "Content-Type": type });
  yield ask("no content", bare(request));
  yield ask("content that is no JSON", text("{"));
  yield ask("content with a byte order mark", text(`\uFEFF${written}`));
  yield ask("content of type `text/plain`", text(written, "text/plain"));
  yield ask("content of a form's type", text(written, "application/x-www-form-urlencoded"));
  yield ask("content in UTF-16, as its type says", text(written, "application/json; charset=utf-16le"));
  yield ask("content of no type", { ...bare(request), text: written });
  yield ask(
    "content that is said to be compressed",
    withHeaders(text(written), { "Content-Encoding": "gzip" }),
  );
  if (isRecord(request.body)) yield* members(written, text, ask);
  const { maxBody, maxDepth } = rule;
  if (maxBody < MOST_BYTES) {
    const padding = " ".repeat(Math.max(0, maxBody + 1 - Buffer.byteLength(written)));
    yield ask("content that is one byte too large", text(`${written}${padding}`));
    yield ask(
      "content that is one byte too large, in chunks",
      withHeaders(text(`${written}${padding}`), { "Transfer-Encoding": "chunked" }),
    );
  }
  if (maxDepth < 2000)
    yield ask(
      "content that is nested too deep",
      text(`${"[".repeat(maxDepth + 1)}${"]".repeat(maxDepth + 1)}`),
    );
}

function* members(written: string, text: (value: string) => TestRequest, ask: Ask): Iterable<Question> {
  const inner = written.slice(1, -1);
  const joined = (member: string): TestRequest =>
    text(`{${[inner, member].filter((one) => one !== "").join(",")}}`);
  yield ask("a member that nobody declared", joined('"undeclared":1'));
  yield ask("a member `__proto__`", joined('"__proto__":{"admin":true}'));
  yield ask("a member with an operator of a database", joined('"$where":"1"'));
  yield ask("a member twice", joined(inner.split(",")[0] ?? '"a":1'));
  yield ask("a number that loses digits", joined('"undeclared":9007199254740993'));
}
