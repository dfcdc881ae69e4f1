/** Settings of `transport` that could only misfire while serving. */
import type { Report } from "../../errors/diagnostics.js";
import { parseDuration } from "../../lib/duration.js";
import { pointerTo } from "../../lib/pointer.js";
import type { TransportSettings } from "../../model/policy.js";
import type { ResolvedPolicy } from "../../model/resolved.js";
import { checkTrust } from "./check-trust.js";
import { DEFAULT_MAX_AGE } from "./compile.js";
import { parseHostEntry } from "./hosts.js";

const PRELOAD_MIN_MS = 31_536_000_000;

export function checkTransport(policy: ResolvedPolicy, report: Report): void {
  const settings = policy.document.transport ?? {};
  checkHosts(settings, report);
  checkRedirect(policy, settings, report);
  checkHsts(settings, report);
  if (settings.trust !== undefined) checkTrust(settings.trust, report);
  checkRoutes(policy, report);
}

function checkHosts({ hosts }: TransportSettings, report: Report): void {
  for (const [index, host] of (hosts ?? []).entries()) {
    if (parseHostEntry(host) !== undefined) continue;
    report.error(
      "invalid-host",
      pointerTo("/transport/hosts", index),
      `\`${host}\` is no host`,
      host === "*"
        ? "leave `hosts` out to serve any host"
        : "write a host as in `api.example.com`, `api.example.com:8443` or `*.example.com`, without scheme and path",
    );
  }
}

function checkRedirect(policy: ResolvedPolicy, { https, hosts }: TransportSettings, report: Report): void {
  if (https !== "redirect") return;
  if (hosts === undefined) {
    report.error(
      "redirect-without-hosts",
      "/transport/https",
      "`redirect` needs `hosts`: `Location` would be whatever host the caller named",
      "list the hosts that are served in `transport.hosts`",
    );
  }
  if (!policy.routes.some((route) => route.audience === "browser")) {
    report.warn(
      "redirect-without-pages",
      "/transport/https",
      '`redirect` acts on routes with `"audience": "browser"`, and there is none',
      '`"require"` says the same for an API',
    );
  }
}

function checkHsts({ hsts }: TransportSettings, report: Report): void {
  if (hsts === undefined || hsts === false || hsts.preload !== true) return;
  const long = (parseDuration(hsts.maxAge ?? DEFAULT_MAX_AGE) ?? 0) >= PRELOAD_MIN_MS;
  if (long && hsts.includeSubDomains !== false) return;
  report.error(
    "hsts-preload",
    "/transport/hsts/preload",
    "browsers preload a domain only with `includeSubDomains` and a `maxAge` of at least `365d`",
    "mend those two, or leave `preload` out",
  );
}

function checkRoutes(policy: ResolvedPolicy, report: Report): void {
  for (const route of policy.routes) {
    if (route.transport === "any" && route.authenticate.mode !== "none") {
      report.error(
        "open-transport",
        pointerTo(route.pointer, "transport"),
        "a route that reads credentials cannot take them over plain HTTP or under any host",
        '`"transport": "any"` is for probes: write `"authenticate": "none"` beside it, or leave it out',
      );
    }
    if (route.upgrade !== undefined && !route.methods.includes("GET")) {
      report.error(
        "upgrade-without-get",
        pointerTo(route.pointer, "upgrade"),
        `a websocket is opened by GET, and \`${route.key}\` has no GET`,
        "write the route for GET",
      );
    }
  }
}
