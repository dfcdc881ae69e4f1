/** Compiles https, hosts, upgrades and HSTS into the stages and fields of each route. */
import { parseDuration } from "../../lib/duration.js";
import type { HeaderContribution, Stage } from "../../model/compiled.js";
import type { CompiledKind } from "../../model/kind.js";
import type { TransportSettings } from "../../model/policy.js";
import type { ResolvedPolicy, ResolvedRoute } from "../../model/resolved.js";
import { hostStage, httpsStage, redirectStage, upgradeStage, WEBSOCKET, NO_UPGRADE } from "./evaluate.js";
import { compileHosts } from "./hosts.js";

/** As helmet's default, and the least that ASVS 3.4.1 asks for. */
export const DEFAULT_MAX_AGE = "365d";

export function compileTransport(policy: ResolvedPolicy): CompiledKind {
  const settings = policy.document.transport ?? {};
  const https = settings.https ?? "require";
  const hosts = settings.hosts === undefined ? [] : [hostStage(compileHosts(settings.hosts))];
  const plain = https === "off" ? [] : [httpsStage];
  const browser = https === "redirect" ? [redirectStage] : plain;
  const hsts = hstsFields(settings);

  // Hosts first: a redirect is only made for a host that is served.
  const stages = (route: ResolvedRoute): readonly Stage[] => {
    const upgrades = route.upgrade === "websocket" ? WEBSOCKET : NO_UPGRADE;
    if (route.transport === "any") return [upgradeStage(upgrades, route.pointer)];
    return [
      ...hosts,
      ...(route.audience === "browser" ? browser : plain),
      upgradeStage(upgrades, route.pointer),
    ];
  };
  return {
    stages,
    // Browsers follow no redirect of a preflight, so it is refused like an API's request.
    preflight: (route) => [
      ...(route.transport === "any" ? [] : [...hosts, ...plain]),
      upgradeStage(NO_UPGRADE, route.pointer),
    ],
    headers: () => hsts,
  };
}

/** Only over HTTPS, and once: the handler's own is taken out (RFC 6797 section 7.2). */
function hstsFields(settings: TransportSettings): HeaderContribution {
  const remove = ["strict-transport-security"];
  const value = hstsValue(settings);
  if (value === undefined) return { remove };
  return {
    remove,
    dynamic: (state, sink) => {
      if (state.request.scheme === "https") sink.set("Strict-Transport-Security", value);
    },
  };
}

/** Where plain HTTP is served by intent, browsers are kept away from it only by an author who says so. */
function hstsValue({ https, hsts }: TransportSettings): string | undefined {
  if (hsts === false || (hsts === undefined && https === "off")) return undefined;
  const seconds = Math.floor((parseDuration(hsts?.maxAge ?? DEFAULT_MAX_AGE) ?? 0) / 1000);
  const domains = hsts?.includeSubDomains === false ? "" : "; includeSubDomains";
  return `max-age=${seconds}${domains}${hsts?.preload === true ? "; preload" : ""}`;
}
