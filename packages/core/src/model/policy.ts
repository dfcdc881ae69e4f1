/**
 * The document forms of the policy language, as an author writes them.
 * Replaced by the generated types once the schema fragments stand: names and shapes are the same.
 */
export type Duration = string;
export type Size = string | number;
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };
export interface SecretReference {
  readonly secret: string;
}
export type ConditionText = string;
export type Mode = "enforce" | "observe";

export interface PolicyDocument {
  readonly $schema?: string;
  readonly gatehouse: 1;
  readonly name: string;
  readonly description?: string;
  readonly mode?: Mode;
  readonly transport?: TransportSettings;
  readonly cors?: CorsSettings | "none";
  readonly csrf?: CsrfSettings | "off";
  readonly authenticators?: { readonly [name: string]: AuthenticatorSettings };
  readonly roles?: { readonly [role: string]: readonly string[] };
  readonly limits?: { readonly [name: string]: LimitSettings };
  readonly schemas?: { readonly [name: string]: JsonSchema };
  readonly redaction?: { readonly key?: SecretReference };
  readonly global?: { readonly limits: readonly string[] };
  readonly headers?: HeadersSettings;
  readonly errors?: ErrorsSettings;
  readonly store?: { readonly deadline?: Duration };
  readonly defaults?: DefaultSettings;
  readonly groups?: { readonly [prefix: string]: GroupSettings };
  readonly routes: { readonly [route: string]: RouteSettings };
}

export interface TransportSettings {
  readonly https?: "require" | "redirect" | "off";
  readonly hsts?:
    { readonly maxAge?: Duration; readonly includeSubDomains?: boolean; readonly preload?: boolean } | false;
  readonly hosts?: readonly string[];
  readonly trust?: TrustSettings;
}
export interface TrustSettings {
  readonly peers: readonly string[];
  readonly header?: string;
  readonly scheme?: string;
  readonly host?: boolean;
  readonly ipv6Prefix?: number;
}

export interface CorsSettings {
  readonly origins: readonly string[];
  readonly credentials?: boolean;
  readonly requestHeaders?: readonly string[];
  readonly expose?: readonly string[];
  readonly maxAge?: Duration;
  readonly enforce?: boolean;
}
export interface CsrfSettings {
  readonly origins?: readonly string[];
  readonly unknown?: "refuse" | "allow";
}

export type AuthenticatorSettings = JwtSettings | ApiKeySettings | CustomSettings;
export interface PrincipalMap {
  readonly [field: string]: string | { readonly value: unknown };
}
export interface JwtSettings {
  readonly type: "jwt";
  readonly issuer: string;
  readonly audience:
    string | readonly string[] | { readonly claim: string; readonly values: readonly string[] };
  readonly algorithms: readonly string[];
  /** Inline public JWKs, a JWKS file, a PEM, or a shared secret. `jwks` as an https URL is refused as not-supported-yet. */
  readonly keys:
    | SecretReference
    | { readonly jwks: string | { readonly keys: readonly { readonly [member: string]: unknown }[] } }
    | { readonly pem: string | SecretReference };
  readonly typ?: readonly string[];
  readonly in?: "header" | "cookie";
  readonly name?: string;
  readonly scheme?: string;
  readonly clockTolerance?: Duration;
  readonly maxAge?: Duration;
  readonly principal?: PrincipalMap;
  readonly confers?: readonly string[];
  readonly resourceMetadata?: string;
}
export interface ApiKeySettings {
  readonly type: "api-key";
  readonly in: "header" | "query" | "cookie";
  readonly name: string;
  readonly scheme?: string;
  /** A secret that holds the JSON list of key records, the list itself (SHA-256 only, so it is no secret), or code by name. */
  readonly keys: SecretReference | readonly ApiKeyRecord[] | { readonly lookup: string };
  readonly confers?: readonly string[];
}
export interface ApiKeyRecord {
  readonly id: string;
  readonly sha256: string;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  readonly attributes?: { readonly [name: string]: unknown };
  readonly expires?: string;
  readonly routes?: readonly string[];
}
export interface CustomSettings {
  readonly type: "custom";
  /** Name in `EngineOptions.authenticators`. */
  readonly use: string;
  readonly in: "header" | "query" | "cookie" | "tls";
  readonly name?: string;
  readonly scheme?: string;
  readonly principal?: PrincipalMap;
  readonly confers?: readonly string[];
}

export interface LimitSettings {
  readonly limit: number;
  readonly window?: string;
  readonly by?: FactSettings | readonly FactSettings[];
  readonly algorithm?: "sliding-window" | "token-bucket" | "calendar" | "concurrency";
  readonly zone?: string;
  readonly burst?: number;
  readonly lease?: Duration;
  readonly cost?:
    number | ConditionText | { readonly estimate: number | ConditionText; readonly settle: string };
  readonly count?: "all" | "failures" | readonly number[];
  readonly penalty?: {
    readonly after: number;
    readonly block: Duration;
    readonly factor?: number;
    readonly max?: Duration;
  };
  readonly onStoreFailure?: "local" | "closed" | "open";
  readonly onMissing?: "group" | "refuse" | "skip";
  readonly share?: "auto" | number;
  readonly precision?: "exact" | "leased";
  readonly mode?: Mode;
  readonly reveal?: boolean;
  readonly when?: ConditionText;
}
export type FactSettings = string | { readonly fact: string; readonly as?: "lowercase" };

export type AuthenticateSettings = "none" | readonly (string | readonly string[])[];
export interface AuthorizeEntry {
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  readonly claims?: { readonly [path: string]: unknown };
  readonly when?: ConditionText;
  readonly forbid?: ConditionText;
  readonly check?: string | readonly string[];
}
export type RequireSettings = "authenticated" | AuthorizeEntry | readonly AuthorizeEntry[];
export type AuthorizeSettings = RequireSettings | "anyone";

export interface RequestSettings {
  readonly params?: { readonly [name: string]: JsonSchema };
  readonly query?: { readonly [name: string]: JsonSchema };
  readonly headers?: { readonly [name: string]: JsonSchema };
  readonly cookies?: { readonly [name: string]: JsonSchema };
  readonly body?: JsonSchema;
  readonly bodyOptional?: boolean;
  readonly types?: readonly string[];
  readonly maxBody?: Size;
  readonly maxDepth?: number;
  readonly unknown?: "reject" | "strip" | "allow";
  readonly sniff?: SniffSettings;
  readonly operators?: "refuse" | "allow";
}
export interface SniffSettings {
  readonly prototypeKeys?: boolean;
  readonly controlCharacters?: boolean;
  readonly loneSurrogates?: boolean;
  readonly unsafeIntegers?: boolean;
  readonly duplicateKeys?: boolean;
}

export type RedactAction = "remove" | "null" | "mask" | "hash" | "last4" | { readonly replace: unknown };
export interface RedactEntry {
  readonly action: RedactAction;
  readonly unless?:
    | ConditionText
    | {
        readonly roles?: readonly string[];
        readonly scopes?: readonly string[];
        readonly when?: ConditionText;
      };
  readonly when?: ConditionText;
}
export interface ResponseSettings {
  readonly body?: JsonSchema;
  readonly bodies?: { readonly [status: string]: JsonSchema };
  readonly redact?: { readonly [pointer: string]: RedactAction | RedactEntry };
  readonly onMismatch?: "report" | "withhold";
  readonly encode?: boolean;
}
/** `preset`, and any field name with a value, `"keep"` or `"remove"`. */
export interface HeadersSettings {
  readonly preset?: "api" | "web";
  readonly [field: string]: string | undefined;
}
export interface ErrorsSettings {
  readonly typeBase?: string;
  readonly correlation?: string | false;
  readonly expose?: "code" | "none";
  readonly bodies?: { readonly [codeOrStatus: string]: unknown };
}

export interface SharedSettings {
  readonly authenticate?: AuthenticateSettings;
  readonly csrf?: CsrfSettings | "off";
  readonly limits?: readonly string[];
  readonly request?: RequestSettings;
  readonly response?: ResponseSettings | false;
  readonly cors?: CorsSettings | "none";
  readonly headers?: HeadersSettings;
  readonly errors?: ErrorsSettings;
  readonly conceal?: boolean;
  readonly mode?: Mode;
  readonly description?: string;
  readonly deprecated?: { readonly since: string; readonly sunset?: string };
  readonly audience?: "api" | "browser";
}
export interface DefaultSettings extends SharedSettings {
  readonly authorize?: AuthorizeSettings;
}
export interface GroupSettings extends SharedSettings {
  readonly require?: RequireSettings;
}
export interface RouteSettings extends SharedSettings {
  readonly authorize?: AuthorizeSettings;
  readonly upgrade?: "websocket";
  readonly transport?: "any";
  readonly record?: { readonly facts: readonly string[]; readonly onFailure?: "open" | "closed" };
}
