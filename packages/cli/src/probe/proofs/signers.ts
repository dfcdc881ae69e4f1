/**
 * Keys that sign whole messages: webhooks, and HTTP Message Signatures. The engine that is asked is told of the same shared secrets; where
 * the server has a public key, the engine gets a secret of the probe's in its place, since it has no part in who signs.
 */
import { createPublicKey, randomBytes } from "node:crypto";
import type { PolicyDocument } from "@gatehouse/core";
import { UsageError } from "../../cli/io.js";
import { isRecord } from "../../lib/json.js";
import { choiceHelp } from "../../lib/near.js";
import { writtenKeyId } from "../key-id.js";
import { readSigningKey, type SigningKey } from "../tokens.js";
import { JWS_NAMES } from "./message.js";

type Authenticator = NonNullable<PolicyDocument["authenticators"]>[string];
type MessageSettings = Extract<Authenticator, { readonly type: "http-signature" }>;
type WebhookSettings = Extract<Authenticator, { readonly type: "signature" }>;
type MessageKey = MessageSettings["keys"][number];

export interface MessageSigner {
  /** Of the principal. */
  readonly id: string;
  readonly components: readonly string[];
  /** Under which the engine is asked, and under which the server is. */
  readonly judge: SigningKey;
  readonly wire: SigningKey;
}

export interface Signers {
  /** The policy as the engine is asked about it. */
  readonly document: PolicyDocument;
  /** By their references. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly messages: ReadonlyMap<string, MessageSigner>;
  /** Authenticators whose secret was handed over. */
  readonly webhooks: ReadonlySet<string>;
}

/**
 * @param keys texts by authenticator, or by `authenticator:keyid`
 * @throws UsageError without a word about the key itself
 */
export function readSigners(document: PolicyDocument, keys: Readonly<Record<string, string>>): Signers {
  const authenticators: Record<string, Authenticator> = { ...document.authenticators };
  const secrets: Record<string, string> = {};
  const messages = new Map<string, MessageSigner>();
  const webhooks = new Set<string>();
  for (const [whose, written] of Object.entries(keys)) {
    const [name = "", ...keyid] = whose.split(":");
    const settings = authenticators[name];
    // One newline at a file's end is no part of a secret, here as where the server reads it.
    const text = written.replace(/\r?\n$/u, "");
    if (settings?.type === "signature") {
      secrets[referenceOf(settings)] = text;
      webhooks.add(name);
    } else if (settings?.type === "http-signature") {
      // Whoever signs is one caller: a second key would stand in the place of the first.
      if (messages.has(name)) throw new UsageError(`two keys are given for \`${name}\``);
      const key = keyOf(settings, name, keyid.join(":"), text);
      const made = signerOf(key, name, text, settings.components ?? []);
      authenticators[name] = { ...settings, keys: [made.asked] };
      secrets[made.reference] = made.secret;
      messages.set(name, made.signer);
    }
  }
  return { document: { ...document, authenticators }, secrets, messages, webhooks };
}

function referenceOf({ secrets: [first] }: WebhookSettings): string {
  return first?.secret ?? "";
}

function signerOf(
  key: MessageKey,
  name: string,
  text: string,
  components: readonly string[],
): {
  readonly asked: MessageKey;
  readonly reference: string;
  readonly secret: string;
  readonly signer: MessageSigner;
} {
  const common = { id: key.id, components };
  if ("secret" in key.key) {
    const bytes = Buffer.from(text, key.secretEncoding === "text" ? "utf8" : (key.secretEncoding ?? "utf8"));
    const shared = { alg: "HS256", kid: undefined, key: bytes };
    const signer = { ...common, judge: shared, wire: shared };
    return { asked: key, reference: key.key.secret, secret: text, signer };
  }
  const secret = randomBytes(32).toString("hex");
  const reference = `env:GATEHOUSE_PROBE_${name}`;
  const asked: MessageKey = { ...key, algorithm: "hmac-sha256", key: { secret: reference } };
  const judge = { alg: "HS256", kid: undefined, key: Buffer.from(secret) };
  const wire = readSigningKey(text, [JWS_NAMES[key.algorithm] ?? ""], name);
  return { asked, reference, secret, signer: { ...common, judge, wire } };
}

function keyOf({ keys }: MessageSettings, name: string, keyid: string, text: string): MessageKey {
  const ids = keys.map((one) => one.keyid);
  if (keyid !== "") {
    const named = keys.find((one) => one.keyid === keyid);
    if (named !== undefined) return named;
    throw new UsageError(`\`${name}\` has no key \`${keyid}\``, choiceHelp(keyid, ids, "keys"));
  }
  const [only, ...more] = keys;
  const found = more.length === 0 ? only : (keys.find((one) => isPairOf(one, text)) ?? keyNamed(keys, text));
  if (found !== undefined) return found;
  throw new UsageError(
    `\`--key\` does not say which key of \`${name}\` it is`,
    `write \`--key ${name}:KEYID=FILE\`; its keys are ${ids.map((id) => `\`${writtenKeyId(id)}\``).join(", ")}`,
  );
}

function keyNamed(keys: readonly MessageKey[], text: string): MessageKey | undefined {
  const kid = jsonIn(text)?.["kid"];
  return keys.find((one) => one.keyid === kid);
}

/** Whether the text is the private half of what the policy says. */
function isPairOf({ key }: MessageKey, text: string): boolean {
  try {
    const jwk = jsonIn(text);
    const ours = encoded(jwk === undefined ? text : { key: jwk, format: "jwk" });
    if ("jwk" in key) return ours === encoded({ key: { ...key.jwk }, format: "jwk" });
    return "pem" in key && typeof key.pem === "string" && ours === encoded(key.pem);
  } catch {
    return false;
  }
}

/** Not by `equals`: of keys of two kinds it leaves an error behind, which what is read next fails with. */
function encoded(key: Parameters<typeof createPublicKey>[0]): string {
  return createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
}

function jsonIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
