/** Rules about who may call. */
import { resolveAuthenticators, type Carrier } from "@gatehouse/core/analysis";
import { pointerTo } from "../lib/pointer.js";
import type { AuthorizeEntry, RouteView } from "../lib/routes.js";
import { durationOf } from "./duration.js";
import type { AuditContext, AuditRule, Hit } from "./finding.js";
import { isSensitive } from "./sensitive.js";

const UNSAFE = new Set(["POST", "PUT", "PATCH", "DELETE"]);

const isUnsafe = ({ methods }: RouteView): boolean => methods.some((method) => UNSAFE.has(method));

/** Whether an entry, or what stands beside it, looks at the object that is asked for. */
function looksAtObject({ when, forbid, check }: AuthorizeEntry): boolean {
  return (
    check !== undefined ||
    [when, forbid].some(
      (condition) => condition !== undefined && /\b(?:params|body|query)\b/u.test(condition),
    )
  );
}

function entriesOf(view: RouteView): readonly AuthorizeEntry[] {
  return view.demands.flatMap(({ entries }) =>
    entries === "authenticated" ? [] : entries.map(({ entry }) => entry),
  );
}

function authenticators({ policy }: AuditContext): readonly {
  readonly name: string;
  readonly pointer: string;
  readonly settings: NonNullable<AuditContext["policy"]["authenticators"]>[string];
}[] {
  return Object.entries(policy.authenticators ?? {}).map(([name, settings]) => ({
    name,
    settings,
    pointer: pointerTo("/authenticators", name),
  }));
}

export const CALLER_RULES: readonly AuditRule[] = [
  {
    id: "open-route",
    severity: "info",
    about: "A route that asks nobody who they are is open to the whole internet.",
    mend: "name the authenticators in `authenticate`, or accept the finding with the reason why everybody may call",
    owasp: ["API2", "API5"],
    asvs: ["8.2.1"],
    find: ({ routes }) =>
      routes
        .filter(({ open }) => open)
        .map((view) => {
          const changes = isUnsafe(view) && !isSensitive(view.path);
          const message = changes ? "anybody may change something here" : "anybody may call this route";
          return { pointer: view.pointer, message, severity: changes ? "medium" : "info" };
        }),
  },
  {
    id: "anyone-route",
    severity: "info",
    about: "An optional route without a demand lets anonymous callers in.",
    mend: "ask for something in `authorize`, or accept the finding",
    owasp: ["API5"],
    asvs: ["8.2.1"],
    find: ({ routes }) =>
      routes
        .filter((view) => view.optional && view.demands.length === 0)
        .map((view) => ({ pointer: view.pointer, message: "anonymous callers are let in" })),
  },
  {
    id: "authenticated-is-enough",
    severity: "low",
    about:
      "Being known is not being allowed: every account may use a function that asks for no role, scope or condition.",
    mend: "say which roles or scopes may, in `authorize`",
    owasp: ["API5"],
    asvs: ["8.2.1", "8.3.1"],
    find: ({ routes }) =>
      routes
        .filter(
          (view) =>
            !view.open && !view.optional && view.demands.every(({ entries }) => entries === "authenticated"),
        )
        .map((view) => ({
          pointer: view.pointer,
          message: "every known caller may use this route",
          severity: isUnsafe(view) ? "medium" : "low",
        })),
  },
  {
    id: "object-without-condition",
    severity: "medium",
    about:
      "A route that takes the id of an object and never looks whose it is lets callers walk through everybody's.",
    mend: "compare the parameter with the principal in `when`, or ask the application by `check`",
    owasp: ["API1"],
    asvs: ["8.2.2", "8.4.1"],
    find: ({ routes }) =>
      routes
        .filter((view) => !view.open && /\/:/u.test(view.path) && !entriesOf(view).some(looksAtObject))
        .map((view) => ({
          pointer: view.pointer,
          message: "no condition and no check looks at the object that the path names",
          severity: entriesOf(view).some(({ roles }) => roles !== undefined) ? "medium" : "high",
        })),
  },
  {
    id: "confers-all-roles",
    severity: "low",
    about:
      "Where there are several authenticators, one that may give every role lets its weakest issuer name admins.",
    mend: "list in `confers` the roles that this authenticator may give",
    owasp: ["API5"],
    asvs: ["8.3.1"],
    find: (context) => {
      const all = authenticators(context);
      if (all.length < 2 || Object.keys(context.policy.roles ?? {}).length < 2) return [];
      return all
        .filter(({ settings }) => settings.confers === undefined)
        .map(({ name, pointer }) => ({ pointer, message: `\`${name}\` may give every role` }));
    },
  },
  {
    id: "unchecked-token",
    severity: "high",
    about: "A token whose issuer or audience nobody checks may have been made for another API.",
    mend: "write the issuer and the audience that this API expects",
    owasp: ["API2"],
    asvs: ["9.1.3", "9.2.3"],
    find: (context) =>
      authenticators(context).flatMap(({ settings, pointer }) =>
        settings.type === "jwt" || settings.type === "introspection"
          ? // Who is asked about a token is its issuer; for whom it was made is in the answer alone.
            (settings.type === "jwt" ? (["issuer", "audience"] as const) : (["audience"] as const))
              .filter((key) => settings[key] === "unchecked")
              .map((key): Hit => ({
                pointer: pointerTo(pointer, key),
                message: `\`${key}\` of tokens is not checked`,
              }))
          : [],
      ),
  },
  {
    id: "revocation-fails-open",
    severity: "medium",
    about: "Whoever can overload the store has undone every revocation.",
    mend: 'write `"onStoreFailure": "closed"`, or leave it out',
    owasp: ["API2"],
    asvs: ["7.4.1", "16.5.3"],
    find: ({ policy: { revocation } }) =>
      revocation?.onStoreFailure === "open"
        ? [
            {
              pointer: "/revocation/onStoreFailure",
              message: "what was revoked is let in while the store is down",
            },
          ]
        : [],
  },
  {
    id: "long-lived-token",
    severity: "low",
    about: "A token that was stolen is good for as long as it lives.",
    mend: "set `maxAge` to a day or less",
    owasp: ["API2"],
    asvs: ["9.2.1"],
    find: (context) =>
      authenticators(context).flatMap(({ settings, pointer }): Hit[] => {
        if (settings.type !== "jwt") return [];
        if (settings.maxAge === undefined)
          return [
            {
              pointer,
              message: "tokens are accepted for as long as their issuer says: there is no `maxAge`",
            },
          ];
        const long = (durationOf(settings.maxAge) ?? 0) > 86_400_000;
        return long
          ? [
              {
                pointer: pointerTo(pointer, "maxAge"),
                message: `tokens are accepted for ${settings.maxAge}`,
                severity: "medium",
              },
            ]
          : [];
      }),
  },
  {
    id: "key-in-query",
    severity: "medium",
    about: "What stands in a URL ends up in logs, histories and `Referer`.",
    mend: "let the key travel in a header",
    owasp: ["API2"],
    asvs: ["14.2.1"],
    find: (context) =>
      authenticators(context).flatMap(({ settings, pointer }) =>
        "in" in settings && settings.in === "query"
          ? [{ pointer: pointerTo(pointer, "in"), message: "a credential travels in the query" }]
          : [],
      ),
  },
  {
    id: "key-in-policy",
    severity: "low",
    about:
      "Records of keys in the policy are read by everybody who reads the policy, and change with it alone.",
    mend: 'move the list into a secret: `{ "secret": "file:keys.json" }`',
    owasp: ["API2", "API8"],
    asvs: ["13.3.1"],
    find: (context) =>
      authenticators(context).flatMap(({ settings, pointer }) =>
        settings.type === "api-key" && Array.isArray(settings.keys)
          ? [{ pointer: pointerTo(pointer, "keys"), message: "the records of API keys stand in the policy" }]
          : [],
      ),
  },
  {
    id: "key-without-expiry",
    severity: "low",
    about: "A key that never ends is never changed.",
    mend: "write `expires`",
    owasp: ["API2"],
    asvs: ["9.2.1"],
    find: (context) =>
      authenticators(context).flatMap(({ settings, pointer }) =>
        settings.type === "api-key" && Array.isArray(settings.keys)
          ? (settings.keys as readonly { readonly expires?: string }[]).flatMap(({ expires }, index): Hit[] =>
              expires === undefined
                ? [{ pointer: pointerTo(pointer, "keys", index), message: "the key never expires" }]
                : [],
            )
          : [],
      ),
  },
  {
    id: "symmetric-token",
    severity: "info",
    about: "Whoever can verify a token by a shared secret can also make one.",
    mend: "let the issuer sign with ES256 or EdDSA, and keep the public key here",
    owasp: ["API2"],
    asvs: ["9.1.2"],
    find: (context) =>
      authenticators(context).flatMap(({ settings, pointer }) =>
        settings.type === "jwt" && settings.algorithms.some((one) => one.startsWith("HS"))
          ? [{ pointer: pointerTo(pointer, "algorithms"), message: "tokens are signed with a shared secret" }]
          : [],
      ),
  },
  {
    id: "cookie-without-csrf",
    severity: "high",
    about: "A cookie travels by itself: without protection any other site can act in the caller's name.",
    mend: 'take `"csrf": "off"` out, and list the other sites that may in `csrf.origins`',
    owasp: ["API8"],
    asvs: ["3.5.1"],
    find: (context) => csrfHits(context),
  },
  {
    id: "login-without-origin",
    severity: "low",
    about:
      "Where cookies authenticate, another site can log its visitor in as somebody else, who then reads what the visitor does.",
    mend: 'write `"csrf": { "always": true }` on the route that logs somebody in',
    owasp: ["API2", "API8"],
    asvs: ["3.5.1"],
    find: ({ policy, routes }) =>
      hasCookies(policy)
        ? routes
            .filter((view) => view.open && view.methods.includes("POST") && isSensitive(view.path))
            .filter((view) => {
              const csrf = view.setting("csrf")?.value ?? policy.csrf;
              return typeof csrf !== "object" || csrf.always !== true;
            })
            .map((view) => ({ pointer: view.pointer, message: "nobody asks which site logs its visitor in" }))
        : [],
  },
  {
    id: "replayable-signature",
    severity: "low",
    about: "A signed message that may come again does again what it did the first time.",
    mend: "sign a time, or write `remember`; let the handler pass over an event that it knows",
    owasp: ["API2", "API6"],
    asvs: ["4.1.5"],
    find: (context) =>
      authenticators(context).flatMap(({ settings, pointer }): Hit[] => {
        if (settings.type === "http-signature")
          return settings.replay === "allow"
            ? [{ pointer: pointerTo(pointer, "replay"), message: "a signature is good more than once" }]
            : [];
        if (settings.type !== "signature") return [];
        const timed =
          settings.preset === undefined
            ? settings.signed?.includes("{time}") === true
            : settings.preset !== "github";
        const remembers = settings.replay !== "allow" && (timed || settings.remember !== undefined);
        return remembers ? [] : [{ pointer, message: "the same webhook is accepted again and again" }];
      }),
  },
  {
    id: "unprotected-login",
    severity: "high",
    about: "A route that takes passwords or codes and counts no failures can be guessed at.",
    mend: 'take a limit with `"count": "failures"` by account and address',
    owasp: ["API2", "API6"],
    asvs: ["2.4.1"],
    find: ({ routes, policy }) =>
      routes
        .filter((view) => view.methods.includes("POST") && isSensitive(view.path))
        .filter((view) => view.limits.every((name) => (policy.limits?.[name]?.count ?? "all") === "all"))
        .map((view) => ({ pointer: view.pointer, message: "no limit counts failures here" })),
  },
];

function hasCookies({ authenticators = {} }: AuditContext["policy"]): boolean {
  return Object.values(authenticators).some((settings) => "in" in settings && settings.in === "cookie");
}

function csrfHits({ policy, routes }: AuditContext): readonly Hit[] {
  const carriers = resolveAuthenticators(policy);
  const named = (by: (carrier: Carrier) => boolean): ReadonlySet<string> =>
    new Set([...carriers.values()].flatMap(({ name, carrier }) => (by(carrier) ? [name] : [])));
  const cookies = named((carrier) => carrier.in === "cookie");
  const others = named((carrier) => carrier.ambient && carrier.in !== "cookie");
  const reads = (view: RouteView, names: ReadonlySet<string>): boolean =>
    isUnsafe(view) && view.authenticators.flat().some((name) => names.has(name));
  const uncovered = routes.flatMap((view): Hit[] =>
    reads(view, others) && !reads(view, cookies) && csrfOf(view, policy)?.value === "off"
      ? [
          {
            pointer: view.pointer,
            message: "a password or client certificate authenticates, and csrf is off",
          },
        ]
      : [],
  );
  const open = routes
    .filter((view) => reads(view, cookies))
    .flatMap((view): Hit[] => {
      const csrf = csrfOf(view, policy);
      if (csrf?.value === "off")
        return [{ pointer: view.pointer, message: "a cookie authenticates, and csrf is off" }];
      if (typeof csrf?.value === "object" && csrf.value.unknown === "allow")
        return [
          {
            pointer: view.pointer,
            message: "a request that says nothing of where it comes from passes with a cookie",
            severity: "medium",
          },
        ];
      return [];
    });
  return [...open, ...uncovered];
}

function csrfOf(
  view: RouteView,
  { csrf }: AuditContext["policy"],
): { readonly value: NonNullable<typeof csrf>; readonly pointer: string } | undefined {
  return view.setting("csrf") ?? (csrf === undefined ? undefined : { value: csrf, pointer: "/csrf" });
}
