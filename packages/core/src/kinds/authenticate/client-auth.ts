/** How the engine shows an introspection endpoint who asks (RFC 7662 section 2.1, RFC 6749 section 2.3.1, RFC 7523). */
import { strictText, toHex, utf8 } from "../../lib/bytes.js";
import { isJwsAlgorithm } from "../../lib/jws.js";
import { pointerTo } from "../../lib/pointer.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { IntrospectionSettings } from "../../model/policy.js";
import { sharedSecret } from "../../model/shared-secret.js";
import { UNCHECKED } from "./claims.js";
import { clientAssertion, importSigningKey } from "./client-assertion.js";

/** What a call carries so that the endpoint knows its client. */
export interface ClientProof {
  readonly headers: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
}

export type ProveClient = () => ClientProof | Promise<ClientProof>;

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type SecretClient = Extract<IntrospectionSettings["client"], { readonly secret: unknown }>;
type KeyClient = Extract<IntrospectionSettings["client"], { readonly key: unknown }>;

/** How long it is, is for the issuer to say. A key in its place would be sent away: a private one is known to others then. */
const CLIENT_SECRET = { leastBytes: 1, foreign: true };

/** Undefined: what is wrong was reported. */
export async function compileClient(
  settings: IntrospectionSettings,
  base: string,
  environment: CompileEnvironment,
): Promise<ProveClient | undefined> {
  const { client } = settings;
  const pointer = pointerTo(base, "client");
  return "secret" in client
    ? compileSecret(client, pointerTo(pointer, "secret"), environment)
    : compileKey(client, settings, pointerTo(pointer, "key"), environment);
}

async function compileSecret(
  client: SecretClient,
  pointer: string,
  environment: CompileEnvironment,
): Promise<ProveClient | undefined> {
  const shared = await sharedSecret(client.secret, pointer, CLIENT_SECRET, environment);
  const secret = shared === undefined ? undefined : strictText(shared.current);
  if (secret === undefined) {
    if (shared !== undefined)
      environment.report.error("invalid-key", pointer, "the client's secret is no text");
    return undefined;
  }
  if (client.method === "post") {
    const proof = { headers: {}, parameters: { client_id: client.id, client_secret: secret } };
    return () => proof;
  }
  const credentials = utf8(`${formEncoded(client.id)}:${formEncoded(secret)}`);
  const proof = { headers: { Authorization: `Basic ${base64(credentials)}` }, parameters: {} };
  return () => proof;
}

/** RFC 6749 section 2.3.1: form-encoded before they are joined, so that a colon in an id divides nothing. */
function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

async function compileKey(
  client: KeyClient,
  { issuer, url }: IntrospectionSettings,
  pointer: string,
  environment: CompileEnvironment,
): Promise<ProveClient | undefined> {
  const { algorithm } = client;
  const { platform, clock, report } = environment;
  const bytes = await environment.secret(client.key.secret, pointer);
  if (bytes === undefined || !isJwsAlgorithm(algorithm)) return undefined;
  try {
    const parts = {
      clientId: client.id,
      audience: client.audience ?? (issuer === UNCHECKED ? url : issuer),
      algorithm,
      keyId: client.keyId,
      key: await importSigningKey(algorithm, bytes),
      newId: () => toHex(platform.randomBytes(16)),
    };
    return async () => ({
      headers: {},
      parameters: {
        client_id: client.id,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await clientAssertion(parts, clock.now()),
      },
    });
  } catch (error) {
    report.error("invalid-key", pointer, error instanceof Error ? error.message : "the key cannot be used");
    return undefined;
  }
}
