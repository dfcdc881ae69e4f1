/** Rules about what comes in, what goes out, how much of it, and what the policy leaves off. */
import type { PolicyDocument } from "@gatehouse/core";
import { pointerTo } from "../lib/pointer.js";
import type { RouteView } from "../lib/routes.js";
import { durationOf } from "./duration.js";
import type { AuditContext, AuditRule, Hit } from "./finding.js";
import { isNode, placesOf } from "./schemas.js";

const WITH_BODY = new Set(["POST", "PUT", "PATCH"]);
const takesBody = ({ methods }: RouteView): boolean => methods.some((method) => WITH_BODY.has(method));

/** Wherever settings stand that routes share. */
function levelsOf({
  defaults,
  groups,
  routes,
}: PolicyDocument): readonly (readonly [
  pointer: string,
  settings: NonNullable<PolicyDocument["defaults"]>,
])[] {
  return [
    ...(defaults === undefined ? [] : [["/defaults", defaults] as const]),
    ...Object.entries(groups ?? {}).map(
      ([prefix, settings]) => [pointerTo("/groups", prefix), settings] as const,
    ),
    ...Object.entries(routes).map(([key, settings]) => [pointerTo("/routes", key), settings] as const),
  ];
}

/** Each place once, whatever number of routes refer to it. */
function once(hits: readonly Hit[]): readonly Hit[] {
  return [...new Map(hits.map((hit) => [hit.pointer, hit])).values()];
}

function responses(view: RouteView): readonly { readonly schema: unknown; readonly pointer: string }[] {
  const response = view.setting("response");
  if (response === undefined || response.value === false) return [];
  const { body, bodies } = response.value;
  return [
    ...(body === undefined ? [] : [{ schema: body, pointer: `${response.pointer}/body` }]),
    ...Object.entries(bodies ?? {}).map(([status, schema]) => ({
      schema,
      pointer: pointerTo(response.pointer, "bodies", status),
    })),
  ];
}

function events(view: RouteView): readonly { readonly schema: unknown; readonly pointer: string }[] {
  const response = view.setting("response");
  if (response === undefined || response.value === false || response.value.events === undefined) return [];
  return [{ schema: response.value.events, pointer: `${response.pointer}/events` }];
}

/** By what credentials are called in paths, queries and bodies. */
const SECRET_NAME =
  /token|secret|passw|credential|session|assertion|signature|nonce|otp|\bpin\b|cvv|card|key$|code$/iu;

export const TRAFFIC_RULES: readonly AuditRule[] = [
  {
    id: "route-without-limit",
    severity: "medium",
    about: "What nobody counts can be called as often as a network carries.",
    mend: "name a limit in `limits` of the route, a group or the defaults",
    owasp: ["API4"],
    asvs: ["2.4.1"],
    find: ({ routes, policy }) =>
      routes
        .filter((view) => view.limits.length === 0)
        .map((view): Hit => ({
          pointer: view.pointer,
          message: "no limit is taken",
          severity: policy.global === undefined ? "medium" : "low",
        })),
  },
  {
    id: "limit-fails-open",
    severity: "medium",
    about: "Whoever can overload the store of such a limit has switched it off.",
    mend: 'write `"onStoreFailure": "local"` or `"closed"`',
    owasp: ["API4"],
    asvs: ["16.5.3"],
    find: ({ policy }) =>
      limitsWhere(
        policy,
        ({ onStoreFailure }) => onStoreFailure === "open",
        "onStoreFailure",
        "the limit lets everything pass when its store is down",
      ),
  },
  {
    id: "limit-only-observes",
    severity: "medium",
    about: "A limit that observes refuses nobody.",
    mend: 'take `"mode": "observe"` out when the numbers are right',
    owasp: ["API4"],
    asvs: ["2.4.1"],
    find: ({ policy }) =>
      limitsWhere(policy, ({ mode }) => mode === "observe", "mode", "the limit only observes"),
  },
  {
    id: "never-shed",
    severity: "info",
    about:
      "What is never shed goes on being answered while everything else is refused; whoever floods it keeps the process busy.",
    mend: "keep a share for it in `shed.classes`, or see that it costs next to nothing",
    owasp: ["API4"],
    asvs: ["2.4.1"],
    find: ({ routes, policy }) =>
      policy.shed === undefined
        ? []
        : routes.flatMap((view) => {
            const shed = view.setting("shed");
            return shed?.value === "never"
              ? [
                  {
                    pointer: view.pointer,
                    message: "requests are never shed",
                    severity: view.open && view.limits.length === 0 ? "medium" : "info",
                  } satisfies Hit,
                ]
              : [];
          }),
  },
  {
    id: "shed-only-observes",
    severity: "low",
    about: "Shedding that observes spares the process nothing.",
    mend: 'take `"mode": "observe"` out when the numbers are right',
    owasp: ["API4"],
    asvs: ["2.4.1"],
    find: ({ policy: { shed } }) =>
      shed?.mode === "observe" ? [{ pointer: "/shed/mode", message: "shedding only observes" }] : [],
  },
  {
    id: "observe-mode",
    severity: "high",
    about: "In observe mode nothing is refused.",
    mend: 'take `"mode": "observe"` out',
    owasp: ["API8"],
    asvs: ["8.3.1", "16.5.3"],
    find: ({ policy }) => [
      ...(policy.mode === "observe" ? [{ pointer: "/mode", message: "the whole policy only observes" }] : []),
      ...levelsOf(policy).flatMap(([pointer, { mode }]) =>
        mode === "observe"
          ? [{ pointer: pointerTo(pointer, "mode"), message: "what stands here only observes" }]
          : [],
      ),
    ],
  },
  {
    id: "body-without-schema",
    severity: "medium",
    about: "Content that no schema describes reaches the handler as the caller made it.",
    mend: "describe it in `request.body`",
    owasp: ["API3", "API8"],
    asvs: ["8.1.2", "15.3.3"],
    find: ({ routes }) =>
      routes
        .filter((view) => takesBody(view) && view.request("body") === undefined)
        .map((view): Hit => ({
          pointer: view.pointer,
          message: "no schema describes the body",
          severity: view.request("types") === undefined ? "medium" : "low",
        })),
  },
  {
    id: "unbounded-input",
    severity: "low",
    about: "A text or list without a bound may be as long as the whole body.",
    mend: "write `maxLength`, `maxItems`, `pattern`, `enum` or `format`",
    owasp: ["API4"],
    asvs: ["15.2.2"],
    find: ({ routes, policy }) =>
      once(
        routes.flatMap((view) => {
          const body = view.setting("request");
          const schema = view.request("body");
          return schema === undefined
            ? []
            : placesOf(schema, `${body?.pointer ?? view.pointer}/body`, policy).flatMap(unbounded);
        }),
      ),
  },
  {
    id: "unknown-input",
    severity: "medium",
    about: "Members that no schema names may be fields of the object that a caller should not set.",
    mend: 'take `"additionalProperties": true` or `"unknown": "allow"` out',
    owasp: ["API3"],
    asvs: ["15.3.3"],
    find: ({ routes, policy }) =>
      once([
        ...levelsOf(policy).flatMap(([pointer, { request }]) =>
          request?.unknown === "allow"
            ? [{ pointer: `${pointer}/request/unknown`, message: "members that no schema names are let in" }]
            : [],
        ),
        ...routes.flatMap((view) => {
          const schema = view.request("body");
          const places =
            schema === undefined
              ? []
              : placesOf(schema, `${view.setting("request")?.pointer ?? view.pointer}/body`, policy);
          return places
            .filter((place) => isNode(place.schema) && place.schema["additionalProperties"] === true)
            .map(({ pointer }) => ({
              pointer: `${pointer}/additionalProperties`,
              message: "members that no schema names are let in",
            }));
        }),
      ]),
  },
  {
    id: "weak-parsing",
    severity: "medium",
    about: "The guards of JSON keep prototype keys, database operators and doubled keys from the handler.",
    mend: "leave the guard on",
    owasp: ["API8"],
    asvs: ["15.3.3"],
    find: ({ policy }) =>
      levelsOf(policy).flatMap(([pointer, { request }]) => [
        ...Object.entries(request?.sniff ?? {}).flatMap(([guard, on]) =>
          on === false
            ? [
                {
                  pointer: pointerTo(pointer, "request", "sniff", guard),
                  message: `the guard \`${guard}\` is off`,
                },
              ]
            : [],
        ),
        ...(request?.operators === "allow"
          ? [
              {
                pointer: `${pointer}/request/operators`,
                message: "keys that databases read as operators are let in",
              },
            ]
          : []),
      ]),
  },
  {
    id: "response-without-schema",
    severity: "medium",
    about: "Without a list of what may leave, whatever the handler has leaves.",
    mend: 'describe the answer in `response.body`, or write `"response": false`',
    owasp: ["API3"],
    asvs: ["15.3.1", "14.2.6"],
    find: ({ routes }) =>
      routes
        .filter(
          (view) => !view.open && view.setting("response")?.value !== false && responses(view).length === 0,
        )
        .map((view): Hit =>
          events(view).length === 0
            ? { pointer: view.pointer, message: "nothing says what may leave in the answer" }
            : {
                pointer: view.pointer,
                message: "nothing says what may leave in an answer that is no stream of events",
                severity: "low",
              },
        ),
  },
  {
    id: "open-response",
    severity: "low",
    about: "`true`, `{}` and additional properties let a value out whole.",
    mend: "name the properties that may leave",
    owasp: ["API3"],
    asvs: ["15.3.1"],
    find: ({ routes, policy }) =>
      once(
        routes.flatMap((view) =>
          [...responses(view), ...events(view)]
            .flatMap(({ schema, pointer }) => placesOf(schema, pointer, policy))
            .filter(
              ({ schema }) =>
                schema === true ||
                (isNode(schema) &&
                  (Object.keys(schema).length === 0 || schema["additionalProperties"] === true)),
            )
            .map(({ pointer }) => ({ pointer, message: "a value leaves whole" })),
        ),
      ),
  },
  {
    id: "wide-cors",
    severity: "medium",
    about: "Every page that may read answers is trusted with them.",
    mend: "list the origins that need it, exactly",
    owasp: ["API8"],
    asvs: ["3.4.2"],
    find: ({ policy }) =>
      [["", policy] as const, ...levelsOf(policy)].flatMap(([pointer, { cors }]) => {
        if (typeof cors !== "object") return [];
        return cors.origins.flatMap((origin, index): Hit[] => {
          const place = pointerTo(pointer, "cors", "origins", index);
          if (origin === "*" || origin === "null")
            return [{ pointer: place, message: `\`${origin}\` stands for origins that nobody knows` }];
          const plain =
            origin.startsWith("http:") &&
            !/^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::|$)/u.test(origin);
          if (plain) return [{ pointer: place, message: "a page that came by plain HTTP may be anybody's" }];
          return origin.includes("*.") && cors.credentials === true
            ? [
                {
                  pointer: place,
                  message: "every subdomain may read answers with the caller's cookies",
                  severity: "low",
                },
              ]
            : [];
        });
      }),
  },
  {
    id: "plain-http",
    severity: "high",
    about: "What travels by plain HTTP is read and changed on the way.",
    mend: 'take `"https": "off"` out; behind a proxy, name it in `trust`',
    owasp: ["API8"],
    asvs: ["4.1.2"],
    find: ({ policy }) =>
      policy.transport?.https === "off"
        ? [{ pointer: "/transport/https", message: "plain HTTP is served" }]
        : [],
  },
  {
    id: "weak-hsts",
    severity: "low",
    about: "Browsers that were not told to stay with HTTPS can be led away from it.",
    mend: "let `hsts` be: a year, with subdomains",
    owasp: ["API8"],
    asvs: ["3.4.1"],
    find: ({ policy: { transport } }) => {
      const hsts = transport?.hsts;
      if (hsts === false)
        return [{ pointer: "/transport/hsts", message: "`Strict-Transport-Security` is not sent" }];
      const short = hsts?.maxAge !== undefined && (durationOf(hsts.maxAge) ?? 0) < 365 * 86_400_000;
      return short
        ? [
            {
              pointer: "/transport/hsts/maxAge",
              message: "`Strict-Transport-Security` lasts less than a year",
            },
          ]
        : [];
    },
  },
  {
    id: "any-host",
    severity: "low",
    about: "A server that answers under any name can be rebound to a stranger's.",
    mend: "list the names of the API in `transport.hosts`",
    owasp: ["API8"],
    asvs: [],
    find: ({ policy: { transport } }) =>
      transport?.hosts === undefined
        ? [
            {
              pointer: transport === undefined ? "" : "/transport",
              message: "the API is served under any host",
            },
          ]
        : [],
  },
  {
    id: "wide-trust",
    severity: "low",
    about: "Everybody in a range that is trusted can say who the caller is.",
    mend: "name the addresses of the proxies themselves",
    owasp: ["API8"],
    asvs: ["4.1.3", "15.3.4"],
    find: ({ policy: { transport } }) =>
      (transport?.trust?.peers ?? []).flatMap((peer, index) =>
        /^(?:private|linklocal)$|\/(?:[0-9]|1[0-5])$/u.test(peer)
          ? [{ pointer: `/transport/trust/peers/${index}`, message: `\`${peer}\` trusts a whole network` }]
          : [],
      ),
  },
  {
    id: "sensitive-record",
    severity: "medium",
    about: "What is on the record is read by more people than may read the request, and kept for longer.",
    mend: "record what tells the request apart without letting anybody use it, or a hash (`events.hash` of the engine), or accept the finding",
    owasp: ["API8"],
    asvs: ["16.2.5"],
    find: ({ routes }) =>
      [
        // What a group or the defaults say holds on many routes, and is told once.
        ...new Map(
          routes.flatMap((view) => {
            const record = view.setting("record");
            return (record?.value.facts ?? []).flatMap((fact, index) =>
              SECRET_NAME.test(fact)
                ? [
                    [
                      `${record?.pointer ?? view.pointer}/facts/${index}`,
                      `\`${fact}\` is named like a credential, and is on the record`,
                    ] as const,
                  ]
                : [],
            );
          }),
        ),
      ].map(([pointer, message]) => ({ pointer, message })),
  },
  {
    id: "past-sunset",
    severity: "medium",
    about: "A route that should be gone is one that nobody looks after.",
    mend: "take the route out, or move `sunset`",
    owasp: ["API9"],
    asvs: [],
    find: ({ routes, now }) =>
      routes.flatMap((view) => {
        const deprecated = view.setting("deprecated");
        const sunset = deprecated?.value.sunset;
        return sunset !== undefined && Date.parse(sunset) < now
          ? [
              {
                pointer: `${deprecated?.pointer ?? view.pointer}/sunset`,
                message: `the route should be gone since ${sunset}`,
              },
            ]
          : [];
      }),
  },
  {
    id: "unused-rule",
    severity: "info",
    about: "What nothing names protects nothing, and readers believe that it does.",
    mend: "take it out, or name it where it should hold",
    owasp: ["API9"],
    asvs: ["8.1.1"],
    find: unusedRules,
  },
];

function unbounded({ schema, pointer }: { readonly schema: unknown; readonly pointer: string }): Hit[] {
  if (!isNode(schema)) return [];
  const bounds = {
    string: ["maxLength", "pattern", "enum", "const", "format", "allowedUrl"],
    array: ["maxItems", "enum", "const"],
  } as const;
  const type = schema["type"];
  if (type !== "string" && type !== "array") return [];
  const bound =
    bounds[type].some((key) => schema[key] !== undefined) || (type === "array" && schema["items"] === false);
  return bound
    ? []
    : [
        {
          pointer,
          message:
            type === "string" ? "a text has no bound but the body's" : "a list has no bound but the body's",
        },
      ];
}

type Limit = NonNullable<PolicyDocument["limits"]>[string];

function limitsWhere(
  policy: PolicyDocument,
  is: (limit: Limit) => boolean,
  key: string,
  message: string,
): readonly Hit[] {
  return Object.entries(policy.limits ?? {}).flatMap(([name, limit]) =>
    is(limit) ? [{ pointer: pointerTo("/limits", name, key), message }] : [],
  );
}

function unusedRules({ policy, routes }: AuditContext): readonly Hit[] {
  const limits = new Set([...routes.flatMap((view) => view.limits), ...(policy.global?.limits ?? [])]);
  const authenticators = new Set(routes.flatMap((view) => view.authenticators.flat()));
  const text = JSON.stringify({ ...policy, schemas: undefined });
  const schemas = JSON.stringify(policy.schemas ?? {});
  const unused = (
    section: string,
    names: readonly string[],
    isUsed: (name: string) => boolean,
    what: string,
  ): Hit[] =>
    names
      .filter((name) => !isUsed(name))
      .map((name) => ({ pointer: pointerTo(section, name), message: `no route ${what} \`${name}\`` }));
  return [
    ...unused("/limits", Object.keys(policy.limits ?? {}), (name) => limits.has(name), "takes the limit"),
    ...unused(
      "/authenticators",
      Object.keys(policy.authenticators ?? {}),
      (name) => authenticators.has(name),
      "asks the authenticator",
    ),
    ...unused(
      "/schemas",
      Object.keys(policy.schemas ?? {}),
      (name) => `${text}${schemas}`.includes(`"#/schemas/${name}"`),
      "refers to the schema",
    ),
  ];
}
