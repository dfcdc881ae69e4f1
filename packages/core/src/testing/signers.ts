/** Requests that are signed when they are sent: webhooks, and HTTP Message Signatures. */
import { createHash, createHmac } from "node:crypto";
import type { HeaderField } from "../index.js";
import { parseDuration } from "../lib/duration.js";
import { MESSAGE_ALGORITHMS } from "../lib/message-algorithms.js";
import { pointerTo } from "../lib/pointer.js";
import type { MessageKey, MessageSignatureSettings, WebhookSettings } from "../model/policy.js";
import { webhookForm, type WebhookForm } from "../model/webhook-form.js";
import type { CredentialParts, IssuedCredential, Moment } from "./credentials.js";
import { refuseMembers } from "./credentials.js";
import { signature } from "./keys.js";

/** What there is of a request when it is signed. */
export interface Unsigned {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly HeaderField[];
  readonly content: Uint8Array | undefined;
  readonly https: boolean;
}

const GIVEN = ["claims", "header", "routes", "roles", "scopes", "attributes"] as const;

export function planWebhook(
  parts: CredentialParts,
  settings: WebhookSettings,
  secret: (reference: string) => string,
): IssuedCredential {
  const { authenticator, credential, key, expires } = parts;
  refuseMembers(parts, ["id", ...GIVEN], "who signs a webhook is what the policy says of its authenticator");
  const form = webhookForm(settings);
  const [first] = settings.secrets;
  const text = credential.forged === true ? key : secret(first?.secret ?? "");
  const toleranceMs = parseDuration(settings.tolerance ?? "5m") ?? 0;
  return {
    authenticator,
    text: () => "",
    sign({ content }, { now, start }) {
      const unit = form.timeUnit === "s" ? 1000 : 1;
      // So that it is out of time at the instant that is asked for, and as little before as the unit allows.
      const time =
        expires === undefined ? Math.floor(now / unit) : Math.ceil((expires(start) - toleranceMs) / unit) - 1;
      return webhookFields(form, secretBytes(form, text), content ?? new Uint8Array(), String(time));
    },
  };
}

function secretBytes({ secretEncoding, secretPrefix }: WebhookForm, text: string): Buffer {
  const encoded = text.startsWith(secretPrefix) ? text.slice(secretPrefix.length) : text;
  return Buffer.from(encoded, secretEncoding === "text" ? "utf8" : secretEncoding);
}

function webhookFields(
  form: WebhookForm,
  secret: Buffer,
  content: Uint8Array,
  time: string,
): readonly HeaderField[] {
  const id = `msg_${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
  const mac = createHmac(form.algorithm, secret);
  for (const part of form.signed.split(/(\{[a-z]+\})/u)) {
    if (part === "{body}") mac.update(content);
    else mac.update(part === "{time}" ? time : part === "{id}" ? id : part);
  }
  const digest = mac.digest();
  const values: Readonly<Record<string, string>> = {
    time,
    id,
    hex: digest.toString("hex"),
    base64: digest.toString("base64"),
    base64url: digest.toString("base64url"),
  };
  const value = form.format.replaceAll(/\{([a-z0-9]+)\}/gu, (_, name: string) => values[name] ?? "");
  const fields: HeaderField[] = [[form.header, value]];
  if (form.timeHeader !== undefined) fields.push([form.timeHeader, time]);
  if (form.idHeader !== undefined) fields.push([form.idHeader, id]);
  return fields;
}

/** Covers everything that the default asks for; a policy that asks for more components is signed for by nobody here. */
export function planMessage(
  parts: CredentialParts,
  settings: MessageSignatureSettings,
  secret: (reference: string) => string,
): IssuedCredential {
  const { authenticator, credential, name, pointer, report, expires } = parts;
  refuseMembers(parts, GIVEN, "what a signer has is what the policy says of its key: write its `id`");
  const id = credential.id ?? name;
  const found = settings.keys.find((one) => one.id === id);
  const [first] = settings.keys;
  if (found === undefined) {
    const message = `\`keys\` of \`${authenticator.name}\` has no key of \`${id}\``;
    report.error("unknown-value", pointerTo(pointer, "id"), message, "write the `id` of a key");
  }
  const key = found ?? first;
  return {
    authenticator,
    text: () => "",
    sign: (request, moment) =>
      key === undefined ? [] : messageFields(request, key, { settings, expires, moment, parts, secret }),
  };
}

interface Signing {
  readonly settings: MessageSignatureSettings;
  readonly expires: CredentialParts["expires"];
  readonly moment: Moment;
  readonly parts: CredentialParts;
  readonly secret: (reference: string) => string;
}

function messageFields(request: Unsigned, key: MessageKey, signing: Signing): readonly HeaderField[] {
  const { settings, expires, moment, parts, secret } = signing;
  const { now, start } = moment;
  const host = request.headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "";
  const lines: [string, string][] = [
    ["@method", request.method],
    ["@target-uri", `${request.https ? "https" : "http"}://${host.toLowerCase()}${request.target}`],
  ];
  const fields: HeaderField[] = [];
  if (request.content !== undefined) {
    const digest = `sha-256=:${createHash("sha256").update(request.content).digest("base64")}:`;
    lines.push(["content-digest", digest]);
    fields.push(["Content-Digest", digest]);
  }
  for (const name of extraComponents(settings)) {
    const value = request.headers.filter(([field]) => field.toLowerCase() === name).map(([, text]) => text);
    if (value.length > 0) lines.push([name, value.join(", ")]);
  }
  const end = expires === undefined ? undefined : Math.floor(expires(start) / 1000);
  const created = end === undefined ? Math.floor(now / 1000) : Math.min(Math.floor(now / 1000), end - 1);
  const list = lines.map(([name]) => `"${name}"`).join(" ");
  const parameters = [
    `(${list});created=${created}`,
    ...(end === undefined ? [] : [`expires=${end}`]),
    ...(settings.replay === "nonce" ? [`nonce="${nonceOf(list, moment)}"`] : []),
    ...(settings.tag === undefined ? [] : [`tag="${settings.tag}"`]),
    `keyid="${key.keyid}"`,
  ].join(";");
  const base = [...lines.map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${parameters}`];
  const mac =
    parts.credential.forged === true
      ? Buffer.from(parts.key)
      : "secret" in key.key
        ? Buffer.from(secret(key.key.secret), encodingOf(key))
        : undefined;
  const holder = parts.credential.forged === true ? "stranger" : "issuer";
  const bytes = signature(MESSAGE_ALGORITHMS[key.algorithm], holder, base.join("\n"), mac);
  const label = settings.label ?? "sig1";
  return [
    ...fields,
    ["Signature-Input", `${label}=${parameters}`],
    ["Signature", `${label}=:${Buffer.from(bytes, "base64url").toString("base64")}:`],
  ];
}

function encodingOf({ secretEncoding = "text" }: MessageKey): "utf8" | "base64" | "hex" {
  return secretEncoding === "text" ? "utf8" : secretEncoding;
}

/** Plain fields beside what is covered anyway. */
function extraComponents({ components }: MessageSignatureSettings): readonly string[] {
  return (components ?? []).filter((name) => /^[a-z0-9-]+$/u.test(name) && name !== "content-digest");
}

let nonces = 0;

function nonceOf(list: string, { now }: Moment): string {
  nonces += 1;
  return createHash("sha256").update(`${list} ${now} ${nonces}`).digest("hex").slice(0, 24);
}
