/** From a question to the answer that counts: at its turn, over the connection that it asks for, once more where the server says so. */
import type { PolicyResult } from "@gatehouse/core/testing";
import { valuesOf, type Answer } from "./answer.js";
import { isBarred, type BarringAnswer } from "./barred.js";
import type { Sendable } from "./carried.js";
import type { Client, Identity, Reply, WireRequest } from "./client.js";
import type { Pace } from "./pace.js";
import type { Certificates, Shows } from "./proofs/certificates.js";
import type { Prover } from "./proofs/prover.js";

export const SPENT = "no more requests are left: `--max-requests` allows more";
const LIMITED = "a limit of the policy refused it: `--wait` waits longer";

export interface DeliveryParts {
  readonly client: Client;
  readonly pace: Pace;
  readonly certificates: Certificates;
  readonly prover: Prover;
}

export interface Order {
  /**
   * Made anew for each time: what it proves is good once. Undefined: nothing is to be sent any more.
   * @param asked whether the server asked for a nonce
   */
  readonly make: (asked: boolean) => Promise<Sendable | undefined>;
  readonly shows: Shows;
  readonly twice: boolean;
  /** Whether a server that asks for another nonce has said what it has to say. */
  readonly keepsNonce: boolean;
  /** Undefined: no limit has a say. */
  readonly limited: readonly PolicyResult[] | undefined;
}

export type Delivered =
  | {
      readonly reply: Reply;
      readonly wire: WireRequest;
      /** Whether the server asked for a nonce before it gave this answer. */
      readonly asked: boolean;
    }
  | { readonly left: string | undefined };

export class Delivery {
  constructor(private readonly parts: DeliveryParts) {}

  async deliver(order: Order): Promise<Delivered> {
    let asked = false;
    for (;;) {
      const wire = await order.make(asked);
      if (wire === undefined) return { left: undefined };
      const reply = await this.send(wire, order.shows);
      if (reply === undefined) return { left: SPENT };
      const limited = this.limitOn(reply, order);
      if (limited !== undefined) {
        if (await this.parts.pace.rest(limited)) continue;
        return { left: LIMITED };
      }
      if (!asked && !order.keepsNonce && asksForNonce(reply)) {
        asked = true;
        continue;
      }
      if (!order.twice) return { reply, wire, asked };
      const again = await this.send(wire, order.shows);
      if (again === undefined) return { left: SPENT };
      // It says nothing of the second time, which is then one more: both are sent anew.
      const rest = this.limitOn(again, order);
      if (rest === undefined) return { reply: again, wire, asked };
      if (!(await this.parts.pace.rest(rest))) return { left: LIMITED };
    }
  }

  /** Milliseconds for which a limit refuses what it has no say in; undefined: none does. */
  private limitOn(reply: Reply, { limited }: Order): number | undefined {
    return limited !== undefined && isLimited(reply, limited) ? retryAfter(reply) : undefined;
  }

  /** Undefined: no more may be sent. */
  async send(wire: WireRequest, shows: Shows): Promise<Reply | undefined> {
    const { client, pace, certificates, prover } = this.parts;
    if (!(await pace.turn())) return undefined;
    const identity = this.identity(shows);
    const usual = certificates.onSocket(shows) === certificates.parts.always;
    const reply = usual
      ? await client.send(wire, identity)
      : judged(await client.sendAs(wire, identity), certificates.parts.barring);
    if (reply.kind === "answer")
      prover.nonce = valuesOf(reply.answer.fields, "dpop-nonce")[0] ?? prover.nonce;
    return reply;
  }

  /** What connections show where nothing else is asked. */
  get usual(): Identity | undefined {
    return this.identity(this.parts.certificates.parts.always);
  }

  private identity(shows: Shows): Identity | undefined {
    const { certificates } = this.parts;
    const shown = certificates.onSocket(shows);
    return shown === "own"
      ? certificates.parts.own
      : shown === "stranger"
        ? certificates.parts.stranger
        : undefined;
  }
}

function judged(reply: Reply, barring: BarringAnswer | undefined): Reply {
  return reply.kind === "answer" && barring !== undefined && isBarred(reply.answer, barring)
    ? { kind: "barred", by: barring.status }
    : reply;
}

/** RFC 9449 section 9. */
function asksForNonce(reply: Reply): boolean {
  if (reply.kind !== "answer") return false;
  const { fields } = reply.answer;
  const challenges = valuesOf(fields, "www-authenticate").join(", ");
  return valuesOf(fields, "dpop-nonce").length > 0 && /error="?use_dpop_nonce\b/iu.test(challenges);
}

function isLimited(
  reply: Reply,
  expected: readonly PolicyResult[],
): reply is { readonly kind: "answer"; readonly answer: Answer } {
  return (
    reply.kind === "answer" && reply.answer.status === 429 && expected.every(({ status }) => status !== 429)
  );
}

function retryAfter(reply: { readonly answer: Answer }): number {
  const [value = "60"] = valuesOf(reply.answer.fields, "retry-after");
  return /^\d{1,9}$/u.test(value) ? (Number(value) + 1) * 1000 : 60_000;
}
