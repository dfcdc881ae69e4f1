/** Other spellings of a path: what one reader takes for the route, and another for none, has let many a caller in. */
import type { TestRequest } from "@gatehouse/core/testing";
import type { Ground, RouteGround } from "../ground.js";
import { bare, type Asker, type Question } from "../question.js";

export function* paths(ground: Ground): Iterable<Question> {
  for (const one of ground.routes) {
    const request = one.bases[0]?.request ?? one.misses[0]?.request;
    if (request === undefined || !one.route.methods.includes("GET")) continue;
    const get = bare({ ...request, method: "GET" });
    yield* spelled(one, get, undefined, ground);
    const few = fewRights(one);
    if (few !== undefined) yield* spelled(one, get, few, ground);
  }
}

/** Somebody who is known and may not call the route: what another spelling leads to may ask less. */
function fewRights({ route, bases }: RouteGround): Asker | undefined {
  const asks = [...route.require, route.authorize].some(({ value }) => typeof value !== "string");
  const by = bases.find(
    (base) => base.by?.person.credentials === undefined && base.by?.holder === undefined,
  )?.by;
  if (by === undefined || !asks) return undefined;
  return { ...by, name: "somebody without a role or scope", person: { ...by.person, roles: [], scopes: [] } };
}

function* spelled(
  { route }: RouteGround,
  request: TestRequest,
  by: Asker | undefined,
  { authority }: Ground,
): Iterable<Question> {
  const [path = "", ...query] = request.target.split("?");
  for (const [about, target] of spellingsOf(path, authority)) {
    const { query: _query, ...rest } = request;
    yield {
      area: "paths",
      about: `${about}, and ${by === undefined ? "no credential" : by.name}`,
      route: route.key,
      by,
      odd: true,
      request: { ...rest, target: [target, ...query].join("?") },
    };
  }
}

export function spellingsOf(path: string, authority: string): readonly (readonly [string, string])[] {
  const segments = path.split("/").slice(1);
  const last = segments.at(-1) ?? "";
  const front = segments
    .slice(0, -1)
    .map((segment) => `/${segment}`)
    .join("");
  return [
    ["a slash at the end", `${path}/`],
    ["two slashes in front", `/${path}`],
    ["two slashes between", path.replaceAll("/", "//")],
    ["a slash that is encoded", `${front}%2f${last}`],
    ["a slash that is encoded, at the end", `${path}%2f`],
    ["a slash that is encoded twice", `${front}%252f${last}`],
    ["a backslash", `${front}\\${last}`],
    ["a backslash that is encoded", `${front}%5c${last}`],
    ["other letter case", path.toUpperCase()],
    ["other letter case of the first letter", path.replace(/[a-z]/u, (letter) => letter.toUpperCase())],
    ["an encoded letter", `${front}/${encodedFirst(last)}`],
    ["an encoded letter, in front", `/${encodedFirst(path.slice(1))}`],
    ["a letter that is encoded twice", `${front}/${encodedFirst(last).replace("%", "%25")}`],
    ["a dot", `/.${path}`],
    ["a dot between", `${front}/./${last}`],
    ["two dots", `/x/..${path}`],
    ["two dots that are encoded", `/x/%2e%2e${path}`],
    ["two dots before an encoded slash", `/x/..%2f${path.slice(1)}`],
    ["a path parameter", `${path};x=1`],
    ["a path parameter with dots", `/x/..;${path}`],
    ["a zero byte", `${path}%00`],
    ["a blank", `${path}%20`],
    ["a line feed", `${path}%0a`],
    ["an extension", `${path}.json`],
    ["a segment more", `${path}/extra`],
    ["a segment less", front === "" ? "/" : front],
    ["a fragment", `${path}#x`],
    ["an overlong encoding", `${front}/${last}%c0%af`],
    ["an absolute target", `http://${authority}${path}`],
    ["an absolute target elsewhere", `http://elsewhere.invalid${path}`],
  ];
}

function encodedFirst(text: string): string {
  const code = text.charCodeAt(0);
  return Number.isNaN(code) || text.startsWith("%")
    ? text
    : `%${code.toString(16).padStart(2, "0")}${text.slice(1)}`;
}
