/** What is sent more than once before an answer counts. */
import { expect, it } from "vitest";
import type { Answer } from "./answer.js";
import type { Reply } from "./client.js";
import { Delivery, type DeliveryParts } from "./delivery.js";
import { Pace } from "./pace.js";
import { Certificates } from "./proofs/certificates.js";
import { Prover } from "./proofs/prover.js";

const answer = (status: number): Reply => ({
  kind: "answer",
  answer: { status, fields: [["retry-after", "0"]], surplus: 0 } as unknown as Answer,
});

function delivery(
  statuses: readonly number[],
  wait: number,
): { readonly pace: Pace; readonly sent: Delivery } {
  const left = [...statuses];
  const client = {
    send: () => Promise.resolve(answer(left.shift() ?? 500)),
  } as unknown as DeliveryParts["client"];
  const pace = new Pace({ rate: 10_000, maxRequests: 10, wait });
  const certificates = new Certificates({
    own: undefined,
    stranger: undefined,
    field: undefined,
    always: "none",
  });
  return { pace, sent: new Delivery({ client, pace, certificates, prover: new Prover(true) }) };
}

const TWICE = {
  make: () => Promise.resolve({ method: "GET", target: "/", headers: [], content: undefined }),
  shows: "none",
  twice: true,
  keepsNonce: false,
  limited: [],
} as const;

it("a limit that refuses the second of two is waited for, and both are sent anew", async () => {
  const { pace, sent } = delivery([200, 429, 200, 401], 5000);
  expect(await sent.deliver(TWICE)).toMatchObject({ reply: { answer: { status: 401 } } });
  expect(pace.sent).toBe(4);
});

it("a limit that is not waited for leaves the question without an answer", async () => {
  const { pace, sent } = delivery([200, 429], 0);
  expect(await sent.deliver(TWICE)).toHaveProperty("left");
  expect(pace.sent).toBe(2);
});
