/**
 * The fields of each preset: helmet's defaults without HSTS (the transport's), for APIs tightened to "this is no document".
 * Names are kept as their specifications write them.
 */
import type { HeaderField } from "../../model/request.js";

/** Alike in both presets. */
const COMMON: readonly HeaderField[] = [
  ["Cross-Origin-Opener-Policy", "same-origin"],
  // Stops embedding by other sites; readers that CORS lets in are not asked for it.
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Origin-Agent-Cluster", "?1"],
  ["Referrer-Policy", "no-referrer"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-DNS-Prefetch-Control", "off"],
  ["X-Download-Options", "noopen"],
  ["X-Permitted-Cross-Domain-Policies", "none"],
  // The filters that it switches off made pages attackable.
  ["X-XSS-Protection", "0"],
];

const WEB_CSP = [
  "default-src 'self'",
  "base-uri 'self'",
  "font-src 'self' https: data:",
  "form-action 'self'",
  "frame-ancestors 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "script-src 'self'",
  "script-src-attr 'none'",
  "style-src 'self' https: 'unsafe-inline'",
  "upgrade-insecure-requests",
].join(";");

export const PRESETS: Readonly<Record<"api" | "web", readonly HeaderField[]>> = {
  api: [
    ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"],
    ...COMMON,
    ["X-Frame-Options", "DENY"],
  ],
  web: [["Content-Security-Policy", WEB_CSP], ...COMMON, ["X-Frame-Options", "SAMEORIGIN"]],
};

/** They tell an attacker which exploits to try. */
export const GIVEAWAYS: readonly string[] = ["x-powered-by", "server"];
