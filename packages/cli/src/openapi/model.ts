/** What a description says of an API, whatever its version and however it is spread over files. */
import type { Schema } from "./schema.js";

export const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"] as const;
/** Operations of a path for which OpenAPI 3.1 has no member: those of further methods, and those below a wildcard beside a parameter. */
export const OTHERS = "x-gatehouse-methods";
export const ALSO = "x-gatehouse-also";

export const CARRIERS = ["path", "query", "header", "cookie"] as const;
export type Carrier = (typeof CARRIERS)[number];

export interface Parameter {
  readonly name: string;
  readonly in: Carrier;
  readonly required: boolean;
  /** Undefined: any text. */
  readonly schema: Schema | undefined;
}

export interface Body {
  readonly required: boolean;
  /** Media types, without parameters, in lower case. */
  readonly types: readonly string[];
  /** Of JSON; undefined: the description gives none, or it is no JSON. */
  readonly schema: Schema | undefined;
}

export interface Answer {
  /** `200`, `2xx` or `default`. */
  readonly status: string;
  readonly types: readonly string[];
  /** Of JSON. */
  readonly schema: Schema | undefined;
  /** Of the data of each event of a stream. */
  readonly events: Schema | undefined;
}

/** A scheme that a caller must satisfy, with what it must bring. */
export interface Need {
  readonly scheme: string;
  readonly scopes: readonly string[];
}

export interface Operation {
  /** In upper case. */
  readonly method: string;
  /** With the base path; parameters as `:name`. */
  readonly path: string;
  /** File and pointer. */
  readonly source: string;
  readonly summary: string | undefined;
  readonly deprecated: boolean;
  readonly parameters: readonly Parameter[];
  readonly body: Body | undefined;
  readonly answers: readonly Answer[];
  /** Whatever the handler writes, no body leaves. */
  readonly noBody: boolean;
  /** Undeclared query parameters are refused; undefined: nobody says so. */
  readonly closedQuery: boolean | undefined;
  /** Any of which will do, each asking for all of its own; `[]`: open, and it says so; an empty one: anonymous callers too; undefined: it says nothing. */
  readonly security: readonly (readonly Need[])[] | undefined;
}

export type Scheme =
  | { readonly kind: "jwt"; readonly issuer: string | undefined }
  | { readonly kind: "api-key"; readonly in: "header" | "query" | "cookie"; readonly name: string }
  /** A scheme of `Authorization`. */
  | { readonly kind: "http"; readonly scheme: string }
  | { readonly kind: "mutual-tls" }
  | { readonly kind: "unknown" };

export interface ApiModel {
  readonly title: string;
  /** Of servers that are absolute. */
  readonly hosts: readonly string[];
  readonly operations: readonly Operation[];
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly schemes: Readonly<Record<string, Scheme>>;
}
