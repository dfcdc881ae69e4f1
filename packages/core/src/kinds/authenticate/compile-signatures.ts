/** Authenticators whose credential is a signature of the message: webhooks, and HTTP Message Signatures. */
import { parseDuration } from "../../lib/duration.js";
import type { CompileEnvironment } from "../../model/kind.js";
import type { MessageSignatureSettings, WebhookSettings } from "../../model/policy.js";
import type { ResolvedAuthenticator } from "../../model/resolved.js";
import { webhookForm } from "../../model/webhook-form.js";
import type { Judge } from "./credential.js";
import type { IdentityMaker } from "./identity.js";
import { coverageTest, DEFAULT_COMPONENTS } from "./message-coverage.js";
import { compileSigners } from "./message-keys.js";
import { messageJudge } from "./message-signature.js";
import { compilePrincipalMap } from "./principal-map.js";
import { messageReplay } from "./message-replay.js";
import type { ReplayGuard } from "./replay.js";
import { compileSecrets } from "./webhook-secrets.js";
import { namesIn, parseTemplate } from "./webhook-template.js";
import { webhookJudge } from "./webhook.js";

export interface SignatureParts {
  readonly authenticator: ResolvedAuthenticator;
  readonly identify: IdentityMaker;
  readonly replay: ReplayGuard;
  readonly environment: CompileEnvironment;
}

function millisecondsOf(text: string | undefined, otherwise: number): number {
  return (text === undefined ? undefined : parseDuration(text)) ?? otherwise;
}

const FIVE_MINUTES = 300_000;

export async function compileWebhook(
  settings: WebhookSettings,
  { authenticator, identify, replay, environment }: SignatureParts,
): Promise<Judge | undefined> {
  const { name, pointer } = authenticator;
  const form = webhookForm(settings);
  const secrets = await compileSecrets(settings.secrets, form, pointer, environment);
  const grant = compilePrincipalMap(settings.principal ?? {})({}, { id: name });
  // The check refuses constants that a field cannot have.
  if (grant.kind === "bad") return undefined;
  const timed = namesIn(parseTemplate(form.signed) ?? []).includes("time");
  const remembers = timed || settings.remember !== undefined;
  const { platform, clock } = environment;
  return webhookJudge({
    name,
    form,
    secrets,
    toleranceMs: millisecondsOf(settings.tolerance, FIVE_MINUTES),
    replay:
      (settings.replay ?? (remembers ? "refuse" : "allow")) === "allow"
        ? undefined
        : {
            guard: messageReplay(replay, pointer),
            rememberMs: millisecondsOf(settings.remember, 0),
          },
    accepted: identify(grant),
    platform,
    clock,
  });
}

export async function compileMessage(
  settings: MessageSignatureSettings,
  { authenticator, identify, replay, environment }: SignatureParts,
): Promise<Judge> {
  const { name, pointer } = authenticator;
  const { platform, clock } = environment;
  return messageJudge({
    name,
    pointer,
    input: { label: settings.label, tag: settings.tag },
    keys: await compileSigners(settings.keys, pointer, identify, environment),
    covers: coverageTest(settings.components ?? DEFAULT_COMPONENTS),
    toleranceMs: millisecondsOf(settings.tolerance, 30_000),
    maxAgeMs: millisecondsOf(settings.maxAge, FIVE_MINUTES),
    replay: settings.replay ?? "refuse",
    guard: messageReplay(replay, pointer),
    platform,
    clock,
  });
}
