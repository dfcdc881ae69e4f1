/** Proxies that there is advice for. */
export const PROXY_NAMES = [
  "nginx",
  "haproxy",
  "caddy",
  "traefik",
  "envoy",
  "aws-alb",
  "cloudflare",
] as const;

export type ProxyName = (typeof PROXY_NAMES)[number];
