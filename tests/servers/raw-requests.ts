/** Requests as nobody's client would write them: paths, cases, slashes, encodings, duplicate fields, methods. The same ones for a seed. */

export interface RawText {
  readonly method: string;
  readonly target: string;
  /** The whole head as bytes of latin1. */
  readonly text: string;
}

export interface RawRoute {
  /** `*`: any. */
  readonly method: string;
  readonly path: string;
}

/** What a generator draws from; never `Math.random`, so that a disagreement can be had again. */
export class Draw {
  constructor(private state: number) {}

  /** Below 2^32: Mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  /** True once in `many`. */
  once(many: number): boolean {
    return this.below(many) === 0;
  }

  of<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0];
  }
}

/** @param routes their paths with `:name` and `*` */
export function rawRequest(draw: Draw, routes: readonly [RawRoute, ...RawRoute[]]): RawText {
  const route = draw.of(routes);
  const method = methodFor(draw, route);
  let target = filled(draw, route.path);
  // Half of them stay as a client would send them, or nearly so: a handler has to run for a comparison.
  for (let count = draw.below(4); count > 1; count -= 1) target = draw.of(CHANGES)(target, draw);
  if (draw.once(4)) target = draw.of(MILD)(target, draw);
  const lines = [`${method} ${target} HTTP/1.${draw.once(40) ? 0 : 1}`, ...fields(draw, method)];
  return { method, target, text: `${lines.join("\r\n")}\r\n\r\n` };
}

/** Also the route's own, or what has another method than GET would be reached by hardly any. */
function methodFor(draw: Draw, route: RawRoute): string {
  if (draw.once(3)) return draw.of(METHODS);
  return route.method !== "*" && draw.once(3) ? route.method : "GET";
}

/** One text a blank. */
function words(text: string): readonly [string, ...string[]] {
  return text.split(" ") as unknown as readonly [string, ...string[]];
}

const METHODS = words(
  "GET HEAD POST PUT PATCH DELETE OPTIONS QUERY PROPFIND TRACE PURGE SEARCH M-SEARCH LINK REPORT get Get GETT POST",
);

const VALUES = words("1 new admin b x.y a-b A caf%C3%A9 a%20b %E2%84%AA :id * ~ a+b (x)");

function filled(draw: Draw, path: string): string {
  const parts = path.split("/").map((part) => {
    if (part.startsWith(":")) return draw.of(VALUES);
    if (part !== "*") return encodeURI(part);
    return Array.from({ length: draw.below(3) + 1 }, () => draw.of(VALUES)).join("/");
  });
  return parts.join("/");
}

type Change = (target: string, draw: Draw) => string;

function at(put: (before: string, after: string, draw: Draw) => string): Change {
  return (target, draw) => {
    const place = draw.below(target.length + 1);
    return put(target.slice(0, place), target.slice(place), draw);
  };
}

/** One character in another spelling. */
function respelled(spell: (character: string, draw: Draw) => string): Change {
  return (target, draw) => {
    const place = draw.below(Math.max(1, target.length));
    return target.slice(0, place) + spell(target[place] ?? "", draw) + target.slice(place + 1);
  };
}

function percent(character: string, draw: Draw): string {
  const hex = character.charCodeAt(0).toString(16).padStart(2, "0");
  return character === "" ? "" : `%${draw.once(2) ? hex : hex.toUpperCase()}`;
}

/** What a framework may well route. */
const MILD: readonly [Change, ...Change[]] = [
  (target) => `${target}/`,
  (target) => `${target}?a=/admin&b[]=%2e%2e`,
  (target) => `${target}?`,
  respelled((character) => character.toUpperCase()),
  respelled((character) => character.toLowerCase()),
  respelled((character, draw) => (/[A-Za-z0-9~._-]/u.test(character) ? percent(character, draw) : character)),
  (target) => target.toUpperCase(),
  (target) => `${target}.json`,
  (target) => `http://a.test${target}`,
  (target) => `HTTP://A.TEST:80${target}`,
  (target, draw) => `${target}/${draw.of(VALUES)}`,
  (target) => target.slice(0, Math.max(1, target.lastIndexOf("/"))),
];

const ODD = [
  ...words(
    "// /./ /../ /%2e/ /%2e%2e/ /%2E./ /..;/ /;/ ;x=1 ; %3b %2f %2F %5c \\ %00 #x # %23 % %zz %2 %c0%ae %c0%80",
  ),
  ...words(
    "%ff %u0061 %252e %252f %25 %09 %20 + %0d%0a %E2%80%A8 %C2%A0 %EF%BC%8F %e2%84%aa %C4%B0 %c4%b1 %C5%BF",
  ),
  ...words(
    "\u00e2\u0084\u00aa \u00e9 \u00ff \u007f %7f . .. * : @ a.test ? ?/ %3f & = | ^ ` {} \" < $ ! ' ( ) ,",
  ),
  " ",
  "\t",
] as unknown as readonly [string, ...string[]];

/** Mostly what must be refused. */
const CHANGES: readonly [Change, ...Change[]] = [
  at((before, after, draw) => before + draw.of(ODD) + after),
  at((before, after, draw) => before + draw.of(ODD) + after),
  (target, draw) => target + draw.of(ODD),
  (target) => `/${target}`,
  (target) => `/.${target}`,
  (target) => `/x/..${target}`,
  (target) => `/x/%2e%2e${target}`,
  (target) => `//a.test${target}`,
  (target) => `http://evil.test${target}`,
  (target) => `http://user@a.test${target}`,
  (target) => `http:${target}`,
  (target) => `https://a.test${target}`,
  (target) => target.slice(1),
  () => "*",
  (target) => target.replaceAll("/", "%2F"),
  (target) => target.replaceAll("/", "\\"),
  respelled((character, draw) => percent(character, draw)),
  respelled((character, draw) => `%25${percent(character, draw).slice(1)}`),
  respelled((character) => (character.toLowerCase() === "k" ? "%E2%84%AA" : character)),
  respelled((character) => (character.toLowerCase() === "i" ? "%C4%B1" : character)),
  ...MILD,
];

const FIELDS = `
Host: a.test
Host: evil.test
X-Original-URL: /admin
X-Rewrite-URL: /admin
X-Forwarded-Uri: /admin
X-Forwarded-Prefix: /admin
X-HTTP-Method-Override: DELETE
X-HTTP-Method: DELETE
X-Method-Override: PUT
X-Forwarded-Host: evil.test
X-Forwarded-Proto: https
Forwarded: host=evil.test
Accept: a/b
Accept: c/d
Content-Length: 0
Content-Type: text/plain
Origin: http://evil.test
Cookie: a=b
Cookie: c=d
__proto__: x
constructor: x
x-middleware-subrequest: middleware
Range: bytes=0-1
TE: trailers
Expect: 100-continue
Accept-Version: 2
X_Forwarded_For: 127.0.0.1
Connection: keep-alive, authorization
`
  .trim()
  .split("\n") as unknown as readonly [string, ...string[]];

function fields(draw: Draw, method: string): string[] {
  const list = draw.once(60) ? [] : ["Host: a.test"];
  if (draw.once(4)) list.push(draw.of(FIELDS));
  if (draw.once(12)) list.push(draw.of(FIELDS));
  if (method === "POST" && draw.once(2)) list.push("Content-Length: 0");
  return list;
}
