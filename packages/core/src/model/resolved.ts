/**
 * The document after defaults, groups and `"inherited"` were worked out (POLICY: replace, never merge).
 * Kinds compile from this and never look up a group themselves.
 */
import type {
  ApiKeySettings,
  AuthorizeEntry,
  BasicSettings,
  CorsSettings,
  CsrfSettings,
  CustomSettings,
  IntrospectionSettings,
  JsonSchema,
  JwtSettings,
  LimitSettings,
  MessageSignatureSettings,
  Mode,
  MtlsSettings,
  PolicyDocument,
  RecordSettings,
  RedactAction,
  RedactEntry,
  SanitizeSettings,
  SniffSettings,
  WebhookSettings,
} from "./policy.js";

/** A setting and where it was written. */
export interface Placed<T> {
  readonly value: T;
  /** JSON Pointer into the document. For a default of the language: the pointer of the route. */
  readonly pointer: string;
  readonly from: "route" | "group" | "defaults" | "document" | "language";
}

export type PatternPart =
  | { readonly kind: "static"; readonly text: string }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "rest" };

export interface ResolvedPolicy {
  readonly document: PolicyDocument;
  readonly mode: Mode;
  readonly authenticators: ReadonlyMap<string, ResolvedAuthenticator>;
  /** Role to itself and all that it includes. */
  readonly roles: ReadonlyMap<string, ReadonlySet<string>>;
  readonly limits: ReadonlyMap<string, Placed<LimitSettings>>;
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly globalLimits: readonly Placed<string>[];
  /** Prefixes of groups, as segments: a `:param` or `*` never reaches into one in which its route does not stand. */
  readonly groups: readonly ResolvedGroup[];
  readonly routes: readonly ResolvedRoute[];
  /** What holds where no route matched: the document's cors, headers, errors and mode. Its `key` is `""`, its `pattern` empty. */
  readonly unmatched: ResolvedRoute;
}

/** As the checks of kinds see it. */
export interface CheckedPolicy extends ResolvedPolicy {
  /** Schemas that were looked through already and neither refer to others nor hold what is warned of. Undefined: nobody looked yet. */
  readonly plainSchemas?: ReadonlySet<unknown>;
}

export interface ResolvedGroup {
  readonly prefix: string;
  readonly parts: readonly PatternPart[];
  readonly pointer: string;
}

export type CarrierPlace = "header" | "query" | "cookie" | "tls";

/** Where a credential sits. */
export interface Carrier {
  readonly in: CarrierPlace;
  /** Lower case for headers (`authorization`), exact for query and cookie, `""` for tls. */
  readonly name: string;
  /** Lower case; only for the Authorization header: `bearer`, `apikey`. Undefined: the whole value is the credential. */
  readonly scheme: string | undefined;
  /** Cookie, TLS and Basic travel by themselves. */
  readonly ambient: boolean;
}

export interface ResolvedAuthenticator {
  readonly name: string;
  readonly pointer: string;
  readonly settings:
    | JwtSettings
    | ApiKeySettings
    | IntrospectionSettings
    | BasicSettings
    | MtlsSettings
    | CustomSettings
    | WebhookSettings
    | MessageSignatureSettings;
  readonly carrier: Carrier;
  /** The credential is a signature that cannot be judged without the body: the stage `signature` proves it. */
  readonly late: boolean;
}

export interface ResolvedRoute {
  /** As the policy writes it: `GET|HEAD /orders/:id`. */
  readonly key: string;
  readonly pointer: string;
  /** Upper case; `*` is spelled out. */
  readonly methods: readonly string[];
  /** True when the author wrote `*` for the method: a named method beats it. */
  readonly anyMethod: boolean;
  readonly path: string;
  readonly pattern: readonly PatternPart[];
  /** Groups in which the route stands, outermost first. */
  readonly groups: readonly ResolvedGroup[];

  readonly authenticate: ResolvedAuthenticate;
  /** One entry that holds is enough; undefined: nothing is asked (open routes, `"authenticated"`, `"anyone"`). */
  readonly authorize: Placed<"authenticated" | "anyone" | readonly AuthorizeEntry[]>;
  /** `require` of each group, outermost first; each must hold besides. Empty on open routes. */
  readonly require: readonly Placed<"authenticated" | readonly AuthorizeEntry[]>[];
  /** With `"inherited"` spelled out, without duplicates; on open routes without inherited limits that read `principal`. */
  readonly limits: readonly Placed<string>[];
  readonly csrf: Placed<CsrfSettings | "off"> | undefined;
  readonly request: ResolvedRequest;
  readonly response: ResolvedResponse;
  readonly cors: Placed<CorsSettings | "none"> | undefined;
  readonly headers: ResolvedHeaders;
  readonly errors: ResolvedErrors;
  readonly conceal: boolean;
  readonly mode: Mode;
  /** Name of a class, `default` or `never`; undefined: nothing is written. */
  readonly shed: Placed<string> | undefined;
  readonly audience: "api" | "browser";
  /** Undefined: the facts that conditions and limits read, kept without anybody waiting. */
  readonly record: Placed<RecordSettings> | undefined;
  readonly deprecated: Placed<{ readonly since: string; readonly sunset?: string }> | undefined;
  /** `"any"`: https and hosts are not asked. */
  readonly transport: "any" | undefined;
  readonly upgrade: "websocket" | undefined;
}

export interface ResolvedAuthenticate {
  readonly pointer: string;
  /** `none`: no authenticator looks at the request. `optional`: absent credentials pass as anonymous. */
  readonly mode: "none" | "optional" | "required";
  /** In order; each alternative is one authenticator, or several that must all pass (the last is the principal). */
  readonly anyOf: readonly (readonly ResolvedAuthenticator[])[];
}

export interface ResolvedRequest {
  readonly params: Placed<Readonly<Record<string, JsonSchema>>> | undefined;
  readonly query: Placed<Readonly<Record<string, JsonSchema>>> | undefined;
  /** Names lower case. */
  readonly headers: Placed<Readonly<Record<string, JsonSchema>>> | undefined;
  readonly cookies: Placed<Readonly<Record<string, JsonSchema>>> | undefined;
  readonly body: Placed<JsonSchema> | undefined;
  readonly bodyOptional: boolean;
  /** Lower-case media types; an entry `+json` stands for the suffix. */
  readonly types: Placed<readonly string[]>;
  /** Bytes. */
  readonly maxBody: number;
  readonly maxDepth: number;
  readonly unknown: "reject" | "strip" | "allow";
  readonly sniff: Required<SniffSettings>;
  readonly operators: "refuse" | "allow";
  /** Pointer to name of a profile. */
  readonly sanitize: Placed<SanitizeSettings> | undefined;
}

export interface ResolvedResponse {
  /** `response: false`: nothing leaves. */
  readonly nothing: Placed<false> | undefined;
  readonly body: Placed<JsonSchema> | undefined;
  readonly bodies: Placed<Readonly<Record<string, JsonSchema>>> | undefined;
  /** Schema of the data of each event; also beside `nothing`, when a nearer level has it. */
  readonly events: Placed<JsonSchema> | undefined;
  readonly redact: Placed<Readonly<Record<string, RedactAction | RedactEntry>>> | undefined;
  readonly onMismatch: "report" | "withhold";
  readonly encode: boolean;
  /** Pointer to name of a profile. */
  readonly sanitize: Placed<SanitizeSettings> | undefined;
}

export interface ResolvedHeaders {
  readonly preset: "api" | "web";
  /** Lower-case field name to value, `keep` or `remove`; the name as written beside it. */
  readonly fields: ReadonlyMap<
    string,
    { readonly name: string; readonly value: string; readonly pointer: string }
  >;
}

export interface ResolvedErrors {
  readonly typeBase: string | undefined;
  /** Field name of the correlation id; undefined when it is switched off. */
  readonly correlation: string | undefined;
  readonly expose: "code" | "none";
  readonly bodies: Placed<Readonly<Record<string, unknown>>> | undefined;
}
