/** What the engine makes of address, scheme and host, what a caller could make of them, and what to change. */
import type { HeaderField, PolicyDocument } from "@gatehouse/core";
import { analyse, inRanges, seeCaller, type CallerView } from "@gatehouse/core/analysis";
import { fieldOf, type WireRequest } from "../explain/request.js";

export interface Attempt {
  /** What somebody does. */
  readonly what: string;
  /** The address that the engine takes him for. */
  readonly client: string | undefined;
  /** He is who he says. */
  readonly believed: boolean;
  /** What keeps it from mattering, or from being looked at. */
  readonly note?: string;
}

export interface Advice {
  /** `wrong`: address, scheme or host are not what they should be. `risk`: they are, and need not stay so. */
  readonly kind: "wrong" | "risk";
  readonly what: string;
  readonly change: string;
}

export interface Diagnosis {
  readonly policy: string;
  readonly seen: CallerView;
  /** Where scheme and host come from, in words. */
  readonly schemeFrom: string;
  readonly hostFrom: string;
  /** Fields that speak of a caller and are not read, as they stand in the request. */
  readonly ignored: readonly string[];
  readonly attempts: readonly Attempt[];
  readonly advice: readonly Advice[];
}

/** Fields in which proxies tell of callers. */
const SPEAKING = [
  "x-forwarded-for",
  "forwarded",
  "x-real-ip",
  "cf-connecting-ip",
  "true-client-ip",
  "x-client-ip",
  "fly-client-ip",
  "fastly-client-ip",
  "x-azure-clientip",
  "cloudfront-viewer-address",
  "x-forwarded-proto",
  "x-forwarded-host",
] as const;
const OF_ADDRESS = SPEAKING.filter((name) => !/-(?:proto|host)$/u.test(name));

/** Kept for documentation (RFC 5737): nobody's. */
const NOBODYS = ["198.51.100.77", "203.0.113.77", "192.0.2.77", "198.18.0.77"];

/** @throws PolicyError for a policy that cannot be served */
export function diagnose(policy: PolicyDocument, request: WireRequest): Diagnosis {
  const analysed = analyse(policy);
  const look = (change: Partial<WireRequest> = {}): CallerView => {
    const { method, target, headers, ip, https } = { ...request, ...change };
    return seeCaller(analysed.policy, { method, target, headers, remoteAddress: ip, encrypted: https });
  };
  const seen = look();
  const context: Context = { policy, request, seen, look };
  return {
    policy: policy.name,
    seen,
    schemeFrom: schemeFrom(context),
    hostFrom: hostFrom(context),
    ignored: ignoredOf(context),
    attempts: seen.refused === undefined ? attemptsOn(context) : [],
    advice: seen.refused === undefined ? adviceFor(context) : [],
  };
}

interface Context {
  readonly policy: PolicyDocument;
  readonly request: WireRequest;
  readonly seen: CallerView;
  readonly look: (change?: Partial<WireRequest>) => CallerView;
}

function trustOf({ policy }: Context): NonNullable<PolicyDocument["transport"]>["trust"] {
  return policy.transport?.trust;
}

function isTrusted({ seen }: Context): boolean {
  return seen.peer?.trustedAs !== undefined;
}

/** Lower-case name of the field whose last value is the scheme. */
function schemeField(context: Context): string | undefined {
  const reads = context.seen.reads;
  if (reads === undefined) return undefined;
  if (reads.family === "forwarded") return "forwarded";
  return reads.family === "x-forwarded-for" ? "x-forwarded-proto" : trustOf(context)?.scheme?.toLowerCase();
}

function schemeFrom(context: Context): string {
  const field = schemeField(context);
  const socket = `the socket, which is ${context.request.https ? "TLS" : "plain"}`;
  if (!isTrusted(context) || field === undefined || fieldOf(context.request.headers, field) === undefined)
    return socket;
  return field === "forwarded"
    ? "`proto` of `Forwarded`, where it is said, else " + socket
    : `the last value of \`${field}\``;
}

function hostFrom(context: Context): string {
  const { seen, request } = context;
  const own = "the request's own `Host`";
  if (!isTrusted(context) || trustOf(context)?.host !== true) return own;
  if (seen.reads?.family === "forwarded") return "`host` of `Forwarded`, where it is said, else " + own;
  return fieldOf(request.headers, "x-forwarded-host") === undefined
    ? own
    : "the last value of `x-forwarded-host`";
}

function ignoredOf(context: Context): readonly string[] {
  const { request, seen } = context;
  const read = new Set<string | undefined>();
  if (isTrusted(context)) {
    read.add(seen.reads?.header);
    read.add(schemeField(context));
    if (trustOf(context)?.host === true && seen.reads?.family === "x-forwarded-for")
      read.add("x-forwarded-host");
  }
  return SPEAKING.filter((name) => !read.has(name) && fieldOf(request.headers, name) !== undefined);
}

function attemptsOn(context: Context): readonly Attempt[] {
  const { request, seen, look } = context;
  const header =
    seen.reads?.header ??
    OF_ADDRESS.find((name) => fieldOf(request.headers, name) !== undefined) ??
    "x-forwarded-for";
  const rest = request.headers.filter(([name]) => name.toLowerCase() !== header);
  const peers = trustOf(context)?.peers ?? [];
  const others = NOBODYS.filter((one) => one !== seen.client);
  const outside = others.filter((one) => !inRanges(one, peers));
  // Where everybody is a peer, a stranger is one too, and believed.
  const stranger = outside[1] ?? outside[0] ?? others[1] ?? "";
  const claimed = [...outside, ...others].find((one) => one !== stranger) ?? "";
  const forged = header === "forwarded" ? `for=${claimed}` : claimed;
  const direct = look({ ip: stranger, headers: [...rest, [header, forged]] });
  const attempts: Attempt[] = [
    {
      what: `somebody at ${stranger} connects to the server itself and sends \`${header}: ${forged}\``,
      client: direct.client,
      believed: direct.client === claimed,
    },
  ];
  const { field } = seen;
  if (!isTrusted(context) || field === undefined || seen.reads === undefined) return attempts;
  if (seen.reads.family === "single") {
    const passed = look({ headers: [...rest, [header, claimed]] });
    return [
      ...attempts,
      {
        what: `the caller sends \`${header}: ${claimed}\`, and the proxy passes it on`,
        client: passed.client,
        believed: passed.client === claimed,
        note: "the proxy must write the field itself, over whatever came",
      },
    ];
  }
  const longer: HeaderField[] = [...rest, [header, `${forged}, ${field}`]];
  const appended = look({ headers: longer });
  return [
    ...attempts,
    {
      what: `the caller sends \`${header}: ${forged}\`, and the proxy adds its own behind it`,
      client: appended.client,
      believed: appended.client === claimed,
    },
  ];
}

function adviceFor(context: Context): readonly Advice[] {
  return [...aboutPeer(context), ...aboutChain(context), ...aboutScheme(context), ...aboutHost(context)];
}

const wrong = (what: string, change: string): Advice => ({ kind: "wrong", what, change });
const risk = (what: string, change: string): Advice => ({ kind: "risk", what, change });

function aboutPeer(context: Context): readonly Advice[] {
  const { seen, request } = context;
  if (seen.peer?.address === undefined) {
    return [
      wrong(
        "the socket has no address, as over a Unix socket, so nobody can be trusted",
        'let the proxy connect over loopback, and write `"peers": ["loopback"]`',
      ),
    ];
  }
  const spoken = OF_ADDRESS.filter((name) => fieldOf(request.headers, name) !== undefined);
  const { address } = seen.peer;
  const inside = inRanges(address, ["loopback", "private", "linklocal"]);
  if (isTrusted(context) || spoken.length === 0) return [];
  const [field = ""] = spoken;
  if (!inside) {
    return [
      risk(
        `${address} sends \`${field}\` and is no trusted peer: if it is a proxy of yours, every caller behind it counts as one`,
        `if it is, add \`${address}/${address.includes(":") ? 128 : 32}\` to \`transport.trust.peers\`; if not, all is well: it is not believed`,
      ),
    ];
  }
  const trust = trustOf(context);
  return [
    wrong(
      `${address} looks like a proxy and sends \`${field}\`, and the policy trusts ${trust === undefined ? "nobody" : "others"}: all callers behind it are one caller`,
      trust === undefined
        ? `write \`"trust": { "peers": ["${address}/${address.includes(":") ? 128 : 32}"], "header": "${field}" }\` in \`transport\``
        : `add \`${address}/${address.includes(":") ? 128 : 32}\` to \`transport.trust.peers\``,
    ),
  ];
}

function aboutChain(context: Context): readonly Advice[] {
  const { seen, request } = context;
  if (!isTrusted(context)) return [];
  if (seen.reads === undefined)
    return [
      wrong(
        "`trust` names no `header`, so nothing that the proxy says is read",
        "write the one header that it sets",
      ),
    ];
  const { header, family } = seen.reads;
  if (seen.field === undefined) {
    const other = OF_ADDRESS.find((name) => name !== header && fieldOf(request.headers, name) !== undefined);
    return [
      wrong(
        `the proxy does not send \`${header}\`, so it is taken for the caller itself`,
        other === undefined
          ? `let it send \`${header}\`; \`gatehouse doctor --proxy NAME\` says how`
          : `it sends \`${other}\`: write \`"header": "${other}"\`, or let it send \`${header}\``,
      ),
    ];
  }
  const last = seen.hops.at(-1);
  if (last !== undefined && last.address === undefined)
    return [
      wrong(
        `\`${last.text}\` is no address, so the walk ends before it and ${seen.client ?? "nobody"} is taken for the caller`,
        "let the proxy write the address of its peer there, and nothing else",
      ),
    ];
  if (last?.trustedAs !== undefined)
    return [
      wrong(
        `every address of the chain is trusted, so whatever a caller writes in front of it is believed; ${last.address ?? ""} lies in \`${last.trustedAs}\``,
        "name the addresses of the proxies alone in `peers`: callers must lie in none of them",
      ),
    ];
  if (family !== "single") return [];
  return [
    risk(
      `\`${header}\` is believed as it stands, from anybody in \`peers\``,
      "see that the proxy writes it over whatever came, and that nobody but the proxy reaches the server",
    ),
  ];
}

function aboutScheme(context: Context): readonly Advice[] {
  const { policy, request, seen } = context;
  const https = policy.transport?.https ?? "require";
  if (https === "off" || seen.scheme === "https") return [];
  const said = fieldOf(request.headers, "x-forwarded-proto");
  const field = schemeField(context);
  if (!isTrusted(context))
    return said === undefined
      ? []
      : [
          wrong(
            "the policy asks for HTTPS, and the proxy that says it had it is not trusted",
            "mend `trust` first",
          ),
        ];
  if (field === undefined)
    return [
      wrong(
        `the policy asks for HTTPS, and \`${seen.reads?.header ?? "trust"}\` says nothing of it`,
        said === undefined
          ? 'let the proxy send the scheme, and name its header: `"scheme": "x-forwarded-proto"`'
          : 'write `"scheme": "x-forwarded-proto"` in `trust`',
      ),
    ];
  if (fieldOf(request.headers, field) === undefined)
    return [
      wrong(
        `the policy asks for HTTPS, and the proxy does not send \`${field}\``,
        `let it send \`${field}\``,
      ),
    ];
  return [
    wrong(
      "the policy asks for HTTPS, and the caller came to the proxy without",
      "send callers to the HTTPS port of the proxy",
    ),
  ];
}

function aboutHost(context: Context): readonly Advice[] {
  const { policy, request, seen } = context;
  const hosts = policy.transport?.hosts;
  const said = fieldOf(request.headers, "x-forwarded-host");
  const left =
    said === undefined &&
    isTrusted(context) &&
    seen.reads?.family === "x-forwarded-for" &&
    trustOf(context)?.host === true
      ? [
          risk(
            "the proxy does not send `x-forwarded-host`, which is read: one that a caller sends is believed",
            'let it write the field over whatever came, or leave `"host"` out of `trust`',
          ),
        ]
      : [];
  if (hosts === undefined || serves(hosts, seen.host)) return left;
  const help =
    said !== undefined &&
    isTrusted(context) &&
    seen.reads?.family === "x-forwarded-for" &&
    trustOf(context)?.host !== true
      ? 'write `"host": true` in `trust`, so that `x-forwarded-host` is read, or let the proxy pass on `Host`'
      : "let the proxy pass on the caller's `Host`, or add the host to `transport.hosts`";
  return [...left, wrong(`\`${seen.host}\` is none of \`transport.hosts\`, so the request is 421`, help)];
}

function serves(hosts: readonly string[], host: string): boolean {
  return hosts.some((one) => {
    const name = one.toLowerCase();
    return name === host || (name.startsWith("*.") && host.slice(host.indexOf(".")) === name.slice(1));
  });
}
