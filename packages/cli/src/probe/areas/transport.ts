/** Hosts and schemes, and what a caller says of them. */
import type { Ground } from "../ground.js";
import { bare, withHeaders, type Question } from "../question.js";

export function* transport({ routes, authority, proxied }: Ground): Iterable<Question> {
  for (const { route, bases, misses } of routes) {
    const base = bases[0]?.request ?? misses[0]?.request;
    if (base === undefined) continue;
    const request = bare(base);
    const ask = (about: string, fields: Readonly<Record<string, string>>): Question => ({
      area: "transport",
      about,
      route: route.key,
      by: undefined,
      request: withHeaders(request, fields),
    });
    yield ask("another host", { Host: "elsewhere.invalid" });
    yield ask("a host that only begins like ours", { Host: `${authority}.elsewhere.invalid` });
    yield ask("a host that a proxy is said to have seen", { "X-Forwarded-Host": "elsewhere.invalid" });
    yield ask("a path that a proxy is said to have seen", { "X-Original-URL": "/", "X-Rewrite-URL": "/" });
    if (proxied) yield ask("plain HTTP, as the proxy says", { "X-Forwarded-Proto": "http" });
  }
}
