/** Methods: those that a route has, those that it has not, and those that hide behind another. */
import type { TestRequest } from "@gatehouse/core/testing";
import type { Ground, RouteGround } from "../ground.js";
import { bare, withHeaders, type Question } from "../question.js";

const METHODS = [
  "GET",
  "HEAD",
  "OPTIONS",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "TRACE",
  "PROPFIND",
  "PROBE",
  "get",
  "Get",
];

export function* methods(ground: Ground): Iterable<Question> {
  for (const one of ground.routes) {
    const base = one.bases[0]?.request ?? one.misses[0]?.request;
    if (base === undefined) continue;
    yield* without(one, bare(base));
    yield* overridden(one, bare(base));
    yield* upgraded(one, bare(base));
    yield* heads(one);
  }
  for (const method of ["GET", "POST", "OPTIONS"])
    yield {
      area: "methods",
      about: `${method} of what no route has`,
      route: undefined,
      by: undefined,
      request: { method, target: "/nothing-is-here-7f3a" },
    };
}

function* without({ route }: RouteGround, request: TestRequest): Iterable<Question> {
  for (const method of METHODS)
    yield {
      area: "methods",
      about: `${method} without a credential`,
      route: route.key,
      by: undefined,
      // Frameworks answer what they do not know by themselves, and some parsers too.
      ...(method === method.toUpperCase() && !method.startsWith("PRO") ? {} : { accept: "refused" as const }),
      request: { ...request, method },
    };
}

function* overridden({ route }: RouteGround, request: TestRequest): Iterable<Question> {
  const [method = "GET"] = route.methods;
  const other = method === "POST" ? "GET" : "POST";
  const question = { area: "methods", route: route.key, by: undefined } as const;
  for (const name of ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
    yield {
      ...question,
      about: `${other} that says it is ${method} (\`${name}\`)`,
      request: withHeaders({ ...request, method: other }, { [name]: method }),
    };
  yield {
    ...question,
    about: `${other} that says it is ${method} (\`_method\`)`,
    request: { ...request, method: other, query: { ...request.query, _method: method } },
  };
}

function* upgraded({ route }: RouteGround, request: TestRequest): Iterable<Question> {
  if (!route.methods.includes("GET")) return;
  yield {
    area: "methods",
    about: "a request to speak WebSocket, without a credential",
    route: route.key,
    by: undefined,
    accept: "refused",
    request: withHeaders(
      { ...request, method: "GET", upgrade: true },
      {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
      },
    ),
  };
}

/** What GET is asked, HEAD is asked too. */
function* heads({ route, bases, misses }: RouteGround): Iterable<Question> {
  if (!route.methods.includes("GET")) return;
  const [first] = bases;
  if (first !== undefined)
    yield {
      area: "methods",
      about: "HEAD in place of GET",
      route: route.key,
      by: first.by,
      request: bare({ ...first.request, method: "HEAD" }),
    };
  for (const { as, request, fault } of misses) {
    if (fault !== "other roles" || as === undefined) continue;
    yield {
      area: "methods",
      about: "HEAD by somebody with other roles",
      route: route.key,
      by: { name: fault, person: as, genuine: true },
      request: bare({ ...request, method: "HEAD" }),
    };
  }
}
