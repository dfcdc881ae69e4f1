/**
 * Caches that obey one of these prefer it to `Cache-Control` (RFC 9213 and its forerunners): where an answer must not be stored,
 * it would still be served to the next caller.
 */
export const TARGETED_CACHE_FIELDS: ReadonlySet<string> = new Set([
  "cdn-cache-control",
  "cloudflare-cdn-cache-control",
  "edge-control",
  "netlify-cdn-cache-control",
  "surrogate-control",
  "vercel-cdn-cache-control",
  "x-accel-expires",
]);
