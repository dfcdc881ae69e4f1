/** Signatures of requests from recipes, over what is sent: webhooks, and HTTP Message Signatures (RFC 9421). */
import { createHash, createHmac } from "node:crypto";
import type { MessageRecipe, WebhookRecipe } from "./case.js";
import { keyNamed, secretText } from "./keys.js";

type Field = readonly [name: string, value: string];

export interface Unsigned {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Field[];
  readonly body: Uint8Array | undefined;
  readonly https: boolean;
}

/** @param now milliseconds since the epoch: the virtual clock */
export function webhookFields(recipe: WebhookRecipe, request: Unsigned, now: number): readonly Field[] {
  const unit = recipe.unit === "ms" ? 1 : 1000;
  const values: Record<string, string> = {
    time: recipe.stamp ?? String(Math.floor(now / unit) + (recipe.time ?? 0)),
    id: recipe.id ?? "msg_1",
  };
  const body = recipe.body === undefined ? (request.body ?? new Uint8Array()) : Buffer.from(recipe.body);
  const { secret } = recipe;
  for (const [index, one] of [secret, ...(recipe.more ?? [])].entries()) {
    const mac = createHmac(recipe.hash ?? "sha256", typeof one === "string" ? one : secretText(one.$secret));
    for (const part of recipe.over.split(/(\{[a-z]+\})/u)) {
      mac.update(part === "{body}" ? body : (values[part.slice(1, -1)] ?? part));
    }
    const digest = mac.digest();
    const suffix = index === 0 ? "" : String(index + 1);
    for (const encoding of ["hex", "base64", "base64url"] as const)
      values[`${encoding}${suffix}`] = digest.toString(encoding);
  }
  return recipe.headers.map(([name, template]) => [
    name,
    template.replaceAll(/\{([a-z0-9]+)\}/gu, (whole, key: string) => values[key] ?? whole),
  ]);
}

const DEFAULT_COMPONENTS = ["@method", "@target-uri"];

export function messageFields(recipe: MessageRecipe, request: Unsigned, now: number): readonly Field[] {
  const fields: Field[] = [];
  const body = recipe.body === undefined ? request.body : Buffer.from(recipe.body);
  const digest = recipe.digest === undefined ? body !== undefined : recipe.digest !== "none";
  if (digest) {
    const hash = recipe.digest === "sha-512" ? "sha512" : "sha256";
    const sum = createHash(hash)
      .update(body ?? new Uint8Array())
      .digest("base64");
    fields.push(["Content-Digest", `${recipe.digest ?? "sha-256"}=:${sum}:`]);
  }
  const covered = recipe.components ?? [...DEFAULT_COMPONENTS, ...(digest ? ["content-digest"] : [])];
  const names = covered.map(written);
  const seconds = Math.floor(now / 1000);
  const parameters = Object.entries({
    created: recipe.created === null ? undefined : seconds + (recipe.created ?? 0),
    expires: recipe.expires === undefined ? undefined : seconds + recipe.expires,
    keyid: recipe.keyid === null ? undefined : (recipe.keyid ?? recipe.key),
    ...recipe.parameters,
  })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `;${name}=${typeof value === "number" ? String(value) : JSON.stringify(value)}`);
  const list = `(${names.join(" ")})${parameters.join("")}`;
  const all = { ...request, headers: [...request.headers, ...fields] };
  const lines = covered.map((name, index) => `${names[index] ?? ""}: ${valueOf(name, all)}`);
  const base = [...lines, `"@signature-params": ${list}`].join("\n");
  const signature = keyNamed(recipe.key).sign(Buffer.from(base)).toString("base64");
  const label = recipe.label ?? "sig1";
  return [...fields, ["Signature-Input", `${label}=${list}`], ["Signature", `${label}=:${signature}:`]];
}

function written(component: string): string {
  const [name = "", ...parameters] = component.split(";");
  return [`"${name}"`, ...parameters].join(";");
}

function valueOf(component: string, { method, target, headers, https }: Unsigned): string {
  const host = fieldOf(headers, "host").toLowerCase();
  const [path = "", query = ""] = target.split("?", 2);
  const scheme = https ? "https" : "http";
  switch (component) {
    case "@method":
      return method;
    case "@target-uri":
      return `${scheme}://${host}${target}`;
    case "@authority":
      return host;
    case "@scheme":
      return scheme;
    case "@request-target":
      return target;
    case "@path":
      return path;
    case "@query":
      return `?${query}`;
    default:
      return fieldOf(headers, component.split(";")[0] ?? "");
  }
}

function fieldOf(headers: readonly Field[], name: string): string {
  return headers
    .filter(([field]) => field.toLowerCase() === name)
    .map(([, value]) => value.trim())
    .join(", ");
}
