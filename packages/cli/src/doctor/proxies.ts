/** What to write for the usual proxies: in the policy, and at the proxy itself. */
import type { PolicyDocument } from "@gatehouse/core";
import type { ProxyName } from "./names.js";

type Trust = NonNullable<NonNullable<PolicyDocument["transport"]>["trust"]>;

export interface ProxyAdvice {
  readonly title: string;
  /** For `transport.trust`; the addresses are to be replaced by one's own. */
  readonly trust: Trust;
  /** What must stand in the proxy's own configuration; empty: nothing beyond its defaults. */
  readonly configure: readonly string[];
  readonly notes: readonly string[];
}

const FORWARDED: Trust = { peers: ["10.0.0.5/32"], header: "x-forwarded-for" };

const SCHEME =
  "without `X-Forwarded-Proto` the scheme is the socket's, and HTTPS at the proxy counts for nothing";

export const PROXIES: Readonly<Record<ProxyName, ProxyAdvice>> = {
  nginx: {
    title: "nginx",
    trust: FORWARDED,
    configure: [
      "proxy_set_header Host $host;",
      "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
      "proxy_set_header X-Forwarded-Proto $scheme;",
    ],
    notes: [
      "`$proxy_add_x_forwarded_for` puts the caller's address behind whatever the caller sent; the engine reads from the end, so nothing of that counts",
      "nginx sends none of the three by itself, and `$proxy_host` as `Host`",
      SCHEME,
    ],
  },
  haproxy: {
    title: "HAProxy",
    trust: FORWARDED,
    configure: [
      "option forwardfor",
      "http-request set-header X-Forwarded-Proto https if { ssl_fc }",
      "http-request set-header X-Forwarded-Proto http unless { ssl_fc }",
    ],
    notes: [
      "`forwardfor` adds a field of its own behind the caller's; the engine joins them in their order",
      SCHEME,
    ],
  },
  caddy: {
    title: "Caddy",
    trust: FORWARDED,
    configure: [],
    notes: [
      "`reverse_proxy` sends `X-Forwarded-For`, `X-Forwarded-Proto` and the caller's `Host` by itself, and drops what callers sent of them unless `trusted_proxies` names them",
      "behind another proxy name that one in `trusted_proxies` of Caddy and in `peers` here",
    ],
  },
  traefik: {
    title: "Traefik",
    trust: FORWARDED,
    configure: [],
    notes: [
      "it sends `X-Forwarded-For`, `X-Forwarded-Proto` and the caller's `Host` by itself, and drops what callers sent of them unless `forwardedHeaders` of the entry point trusts them",
      "never set `forwardedHeaders.insecure`: it believes every caller",
    ],
  },
  envoy: {
    title: "Envoy",
    trust: FORWARDED,
    configure: ["use_remote_address: true", "xff_num_trusted_hops: 0"],
    notes: [
      "at the edge `use_remote_address` must be on: else Envoy passes on what the caller sent, and adds nothing",
      "with it `X-Forwarded-For` gets the caller's address behind the rest, and `X-Forwarded-Proto` is its own",
    ],
  },
  "aws-alb": {
    title: "an Application Load Balancer of AWS",
    trust: { peers: ["10.0.0.0/20"], header: "x-forwarded-for" },
    configure: [
      "routing.http.xff_header_processing.mode = append",
      "routing.http.drop_invalid_header_fields.enabled = true",
    ],
    notes: [
      "its addresses change: list the subnets that the load balancer stands in, and let security groups admit nobody else to the server's port",
      "with `append` (the default) the caller's address is the last entry; with `preserve` it is whatever the caller wrote",
      "a port behind the address (`routing.http.xff_client_port.enabled`) is read and left out",
    ],
  },
  cloudflare: {
    title: "Cloudflare",
    trust: {
      peers: ["173.245.48.0/20", "103.21.244.0/22", "2400:cb00::/32"],
      header: "cf-connecting-ip",
      scheme: "x-forwarded-proto",
    },
    configure: [],
    notes: [
      "`peers` are all the ranges of https://www.cloudflare.com/ips/, of which three stand here; they change now and then",
      "let nobody else reach the server: an address in those ranges can be any customer's of Cloudflare, so pull the origin by mTLS (authenticated origin pulls) or a tunnel",
      'through a tunnel the peer is `cloudflared` itself: `"peers": ["loopback"]`',
      "with another proxy between, `CF-Connecting-IP` is passed on by it: list that proxy, and let only Cloudflare reach it",
    ],
  },
};
