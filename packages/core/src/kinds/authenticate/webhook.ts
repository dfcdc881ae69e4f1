/**
 * Webhooks. The stage `authenticate` judges form and time; the HMAC waits for the whole body, and the memory of what was accepted for the
 * HMAC. Time is asked again then: who lets the last bytes of a body wait could else outlast the memory.
 */
import { utf8 } from "../../lib/bytes.js";
import type { RequestState } from "../../model/state.js";
import type { WebhookForm } from "../../model/webhook-form.js";
import type { Clock } from "../../ports/clock.js";
import type { Platform } from "../../ports/platform.js";
import { MAX_CREDENTIAL, TOO_LONG, type Judge } from "./credential.js";
import { bad, type Accepted, type Bad, type Proof } from "./judgement.js";
import type { MessageReplay } from "./message-replay.js";
import { signatureReader, type Presented } from "./webhook-format.js";
import { namesIn, parseTemplate, textAfter, textBefore, type Piece } from "./webhook-template.js";

const NO_TIME = bad("the webhook says no time, or one that is no number of seconds or milliseconds");
const NO_ID = bad("the webhook has no id, or one that could be taken for more than an id");
const OUT_OF_TIME = bad("the webhook's time is too far from now");
const BAD_SIGNATURE = bad("the webhook's signature does not verify");
const NO_BYTES = bad("the webhook's body came as a value: a signature is over bytes");

const TIME = /^(?:0|[1-9][0-9]{0,15})$/u;
const ID = /^[!-~]{1,256}$/u;

export interface WebhookParts {
  readonly name: string;
  readonly form: WebhookForm;
  readonly secrets: readonly Uint8Array[];
  readonly toleranceMs: number;
  /** Undefined: the same message may come again. */
  readonly replay: { readonly guard: MessageReplay; readonly rememberMs: number } | undefined;
  readonly accepted: Accepted;
  readonly platform: Pick<Platform, "hmac" | "sha256Hex" | "equalInConstantTime">;
  readonly clock: Clock;
}

/** What is signed beside the body, by form. */
interface Message extends Presented {
  /** Milliseconds since the epoch; undefined where no time is signed. */
  readonly instant: number | undefined;
}

export function webhookJudge(parts: WebhookParts): Judge {
  const read = messageReader(parts.form);
  return (credential, state) => {
    if (credential.text.length > MAX_CREDENTIAL) return TOO_LONG;
    const message = read(credential.text, state);
    if ("kind" in message) return message;
    if (!inTime(message, state.now, parts.toleranceMs)) return OUT_OF_TIME;
    return { kind: "pending", claimed: parts.accepted, prove: (later) => prove(parts, message, later) };
  };
}

function messageReader(form: WebhookForm): (value: string, state: RequestState) => Message | Bad {
  const readSignature = signatureReader(form);
  const timeHeader = form.timeHeader?.toLowerCase();
  const idHeader = form.idHeader?.toLowerCase();
  const pieces = parseTemplate(form.signed) ?? [];
  const signs = new Set(namesIn(pieces));
  const isId = idTest(pieces);
  const unit = form.timeUnit === "s" ? 1000 : 1;
  return (value, { request }) => {
    const presented = readSignature(value);
    if ("kind" in presented) return presented;
    const time = timeHeader === undefined ? presented.time : request.headers.get(timeHeader);
    const id = idHeader === undefined ? presented.id : request.headers.get(idHeader);
    if (signs.has("time") && (time === undefined || !TIME.test(time))) return NO_TIME;
    if (signs.has("id") && (id === undefined || !isId(id))) return NO_ID;
    return {
      signatures: presented.signatures,
      time,
      id,
      instant: signs.has("time") ? Number(time) * unit : undefined,
    };
  };
}

/** `a.1` signed with the time `2` must not be `a` signed with `1.2…`: an id never holds the text that ends it. */
function idTest(pieces: readonly Piece[]): (id: string) => boolean {
  const after = textAfter(pieces, "id")?.charAt(0);
  const before = textBefore(pieces, "id")?.slice(-1);
  return (id) =>
    ID.test(id) &&
    (after === undefined || !id.includes(after)) &&
    (before === undefined || !id.includes(before));
}

function inTime({ instant }: Message, now: number, toleranceMs: number): boolean {
  return instant === undefined || Math.abs(now - instant) <= toleranceMs;
}

function prove(parts: WebhookParts, message: Message, state: RequestState): Proof | Promise<Proof> {
  const { platform, form, secrets, clock, toleranceMs } = parts;
  const body = state.bodyBytes;
  if (body === undefined) return NO_BYTES;
  const signed = signedBytes(form.signed, message, body);
  let good = false;
  // Every secret and every signature, whatever the first ones say: time tells how many there are, not which one is right.
  for (const secret of secrets) {
    const expected = platform.hmac(form.algorithm, secret, signed);
    for (const signature of message.signatures) {
      if (platform.equalInConstantTime(expected, signature)) good = true;
    }
  }
  if (!good) return BAD_SIGNATURE;
  const now = clock.now();
  // Written so that a clock that tells no time is out of it too.
  if (!inTime(message, now, toleranceMs)) return OUT_OF_TIME;
  if (parts.replay === undefined) return undefined;
  const { guard, rememberMs } = parts.replay;
  const forMs = message.instant === undefined ? rememberMs : message.instant + toleranceMs - now;
  // Of what was signed, not of the signature: one message may carry two that are good.
  return guard.first(`signature:${parts.name}:${platform.sha256Hex(signed)}`, forMs, state);
}

function signedBytes(template: string, { time, id }: Message, body: Uint8Array): Uint8Array {
  const parts = (parseTemplate(template) ?? []).map((piece) => {
    if ("text" in piece) return utf8(piece.text);
    if (piece.name === "body") return body;
    return utf8((piece.name === "time" ? time : id) ?? "");
  });
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
