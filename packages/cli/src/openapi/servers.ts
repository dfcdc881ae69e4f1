/** `servers`: the path under which an API begins, and its hosts. */
import type { Items } from "./list.js";
import { childPlace, type Place } from "./references.js";
import { sourceOf } from "./schema.js";
import { isObject, listOf, member, textOf } from "./source.js";

export interface Servers {
  /** Empty, or a path without a slash at its end. */
  readonly base: string;
  readonly hosts: readonly string[];
}

const HOST = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]{1,5})?$/u;

export function readServers(root: Place, items: Items): Servers {
  const servers = childPlace(root, "servers");
  const bases: string[] = [];
  const hosts = new Set<string>();
  for (const [index] of listOf(servers.value).entries()) {
    const place = childPlace(servers, index);
    const url = filledIn(textOf(member(place.value, "url")) ?? "/", member(place.value, "variables"));
    const [, scheme, host, path = ""] = /^(?:([a-z]+):\/\/([^/?#]*))?([^?#]*)/iu.exec(url) ?? [];
    const base = path.replace(/\/+$/u, "");
    if (!/^(\/[A-Za-z0-9._~!$&'()+,=@-]+)*$/u.test(base) || /\/\.{1,2}(\/|$)/u.test(base)) {
      items.add({
        kind: "lost",
        code: "server",
        source: sourceOf(place),
        message: "the path of the server is none that routes can begin with; it is left out",
      });
      continue;
    }
    bases.push(base);
    if (scheme?.toLowerCase() === "http")
      items.add({
        kind: "decide",
        code: "plain-http",
        source: sourceOf(place),
        at: "/transport/https",
        message: "a server is reached by plain HTTP; the policy refuses that",
      });
    if (scheme?.toLowerCase() !== "https" || host === undefined) continue;
    if (HOST.test(host.toLowerCase())) hosts.add(host.toLowerCase());
    else
      items.add({
        kind: "lost",
        code: "server",
        source: sourceOf(place),
        message: "the host of the server is none that can be named",
      });
  }
  const [base = ""] = bases;
  if (bases.some((other) => other !== base))
    items.add({
      kind: "decide",
      code: "several-base-paths",
      source: sourceOf(servers),
      at: "/routes",
      message: `servers begin at different paths; the routes begin at \`${base === "" ? "/" : base}\``,
    });
  return { base, hosts: [...hosts] };
}

function filledIn(url: string, variables: unknown): string {
  return url.replaceAll(/\{([^{}]*)\}/gu, (_all, name: string) => {
    const variable = isObject(variables) && Object.hasOwn(variables, name) ? variables[name] : undefined;
    return textOf(member(variable, "default")) ?? "";
  });
}
