/**
 * Connections that are refused for the client's certificate, or for want of one, before any policy is asked: in the handshake, or, as nginx
 * does it, by an answer of its own to whatever comes over them.
 */
import type { Answer } from "./answer.js";
import { codeOf } from "./compare.js";

/** nginx says 495 and 496 to itself, and 400 to the caller. Any other answer might be an application's. */
const STATUSES: ReadonlySet<number> = new Set([400, 495, 496]);

/** What a server answers to a connection that shows no certificate. */
export interface BarringAnswer {
  readonly status: number;
}

/**
 * @param bare to a connection without a certificate
 * @param own to the same with one that the server takes; undefined: there is none
 */
export function barringAnswer(bare: Answer, own: Answer | undefined): BarringAnswer | undefined {
  if (!mayBar(bare)) return undefined;
  if (own === undefined) return saysSo(bare) ? { status: bare.status } : undefined;
  // Refused either way it is the request that it does not like.
  return mayBar(own) && own.status === bare.status ? undefined : { status: bare.status };
}

/** @param answer to a connection without a certificate, or with one that nobody vouches for */
export function isBarred(answer: Answer, barring: BarringAnswer): boolean {
  return mayBar(answer) && answer.status === barring.status;
}

function mayBar(answer: Answer): boolean {
  return STATUSES.has(answer.status) && codeOf(answer) === undefined;
}

function saysSo({ body }: Answer): boolean {
  const text = Buffer.from(body).toString("latin1");
  return text.includes("No required SSL certificate was sent");
}
