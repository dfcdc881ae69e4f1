/** Where the parts of a webhook's signature stand, and what it is made over: written out, or by the name of a sender. */
import type { WebhookSettings } from "./policy.js";

export interface WebhookForm {
  readonly header: string;
  readonly format: string;
  readonly separator: "comma" | "blank" | undefined;
  readonly timeHeader: string | undefined;
  readonly timeUnit: "s" | "ms";
  readonly idHeader: string | undefined;
  readonly signed: string;
  readonly algorithm: "sha256" | "sha384" | "sha512";
  readonly secretEncoding: "text" | "base64" | "hex";
  /** What stands in front of a secret and is no part of it. */
  readonly secretPrefix: string;
}

type Preset = NonNullable<WebhookSettings["preset"]>;

const PLAIN: WebhookForm = {
  header: "",
  format: "{hex}",
  separator: undefined,
  timeHeader: undefined,
  timeUnit: "s",
  idHeader: undefined,
  signed: "{body}",
  algorithm: "sha256",
  secretEncoding: "text",
  secretPrefix: "",
};

const PRESETS: Readonly<Record<Preset, WebhookForm>> = {
  // docs.stripe.com/webhooks#verify-manually: other schemes than `v1` are passed over, so that nobody is talked down to one.
  stripe: {
    ...PLAIN,
    header: "Stripe-Signature",
    format: "t={time},v1={hex}",
    separator: "comma",
    signed: "{time}.{body}",
  },
  // docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries: no time, no id under the signature.
  github: { ...PLAIN, header: "X-Hub-Signature-256", format: "sha256={hex}" },
  // api.slack.com/authentication/verifying-requests-from-slack
  slack: {
    ...PLAIN,
    header: "X-Slack-Signature",
    format: "v0={hex}",
    timeHeader: "X-Slack-Request-Timestamp",
    signed: "v0:{time}:{body}",
  },
  // github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md: the symmetric scheme `v1`.
  "standard-webhooks": {
    ...PLAIN,
    header: "Webhook-Signature",
    format: "v1,{base64}",
    separator: "blank",
    timeHeader: "Webhook-Timestamp",
    idHeader: "Webhook-Id",
    signed: "{id}.{time}.{body}",
    secretEncoding: "base64",
    secretPrefix: "whsec_",
  },
};

/** Keys that describe a form, and so cannot stand beside a preset. */
export const FORM_KEYS = [
  "header",
  "scheme",
  "format",
  "separator",
  "timeHeader",
  "timeUnit",
  "idHeader",
  "signed",
  "algorithm",
  "secretEncoding",
] as const satisfies readonly (keyof WebhookSettings)[];

export function webhookForm(settings: WebhookSettings): WebhookForm {
  if (settings.preset !== undefined) return PRESETS[settings.preset];
  return {
    header: settings.header ?? PLAIN.header,
    format: settings.format ?? PLAIN.format,
    separator: settings.separator,
    timeHeader: settings.timeHeader,
    timeUnit: settings.timeUnit ?? PLAIN.timeUnit,
    idHeader: settings.idHeader,
    signed: settings.signed ?? PLAIN.signed,
    algorithm: settings.algorithm ?? PLAIN.algorithm,
    secretEncoding: settings.secretEncoding ?? PLAIN.secretEncoding,
    secretPrefix: PLAIN.secretPrefix,
  };
}
