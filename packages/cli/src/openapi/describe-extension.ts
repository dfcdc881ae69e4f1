/** What a route enforces and OpenAPI has no word for. Nothing secret stands in a policy, but conditions tell how an API decides. */
import type { RouteView } from "../lib/routes.js";
import { responseOf } from "./describe-answers.js";

type Node = Record<string, unknown>;

export function extensionOf(view: RouteView): Node {
  const { document, settings } = view;
  const demands = view.demands.map(({ entries }) =>
    entries === "authenticated" ? entries : entries.map(({ entry }) => entry),
  );
  const limits = view.limits.map((name) => ({ name, ...document.limits?.[name] }));
  const { redact } = responseOf(view);
  const own: Node = {
    wildcard: view.path.endsWith("/*") ? true : undefined,
    authorize: demands.length === 0 ? undefined : demands,
    limits: limits.length === 0 ? undefined : limits,
    conceal: view.setting("conceal")?.value === true ? true : undefined,
    mode: (view.setting("mode")?.value ?? document.mode) === "observe" ? "observe" : undefined,
    closedQuery:
      view.request("query") !== undefined && (view.request("unknown") ?? "reject") === "reject"
        ? true
        : undefined,
    unknown: view.request("unknown"),
    maxBody: view.request("maxBody"),
    maxDepth: view.request("maxDepth"),
    sanitize: view.request("sanitize"),
    redact,
    noBody: view.setting("response")?.value === false ? true : undefined,
    upgrade: settings.upgrade,
    transport: settings.transport,
    audience: view.setting("audience")?.value,
    deprecated: view.setting("deprecated")?.value,
  };
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
}
