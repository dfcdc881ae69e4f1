/** A question put to the engine: by somebody, with what they prove, over a connection. */
import type { PolicyResult, SentRequest, TestRequest } from "@gatehouse/core/testing";
import type { Sendable } from "./carried.js";
import type { Asking, Judge } from "./judge.js";
import type { Keyring } from "./keyring.js";
import type { Certificates, Shows } from "./proofs/certificates.js";
import type { Asker, Question } from "./question.js";

export interface Asked {
  /** As it is sent, but for its credentials and proofs; undefined: it has no answer. */
  readonly sent: SentRequest | undefined;
  /** All that is right. */
  readonly expected: readonly PolicyResult[];
}

export interface Inquiring extends Pick<Question, "spoil" | "twice" | "certificate"> {
  readonly by: Asker | undefined;
  /** With what every request of the probe has. */
  readonly request: TestRequest;
  readonly odd?: boolean;
  readonly answer?: NonNullable<Asking["answer"]>;
}

export interface Inquirer {
  readonly judge: Judge;
  readonly keyring: Keyring;
  readonly certificates: Certificates;
}

/** @throws PolicyTestError (rejects) for somebody whom no credential can make */
export async function inquire(inquirer: Inquirer, asking: Inquiring): Promise<Asked> {
  const { judge, keyring, certificates } = inquirer;
  const { by, odd = false, answer, spoil, twice = false } = asking;
  const person = by === undefined ? undefined : keyring.bound(by.person);
  const request = certificates.told(asking.request, showsOf(inquirer, asking));
  const more = { odd, ...(answer === undefined ? {} : { answer }) };
  const plain = await judge.expect({ person, request, ...more });
  const sent = plain[0]?.request;
  const asIs = spoil === undefined && !twice && (person === undefined || !keyring.proves(person));
  if (sent === undefined || asIs) return { sent, expected: plain };
  // What is proved is proved anew: the kit has made the model of it, and is asked about the bytes.
  const sealed = asBytes(keyring.sealed(sent, by, "judge", spoil), request);
  return { sent, expected: await judge.expect({ person: undefined, request: sealed, twice, ...more }) };
}

export function showsOf(
  { keyring, certificates }: Pick<Inquirer, "keyring" | "certificates">,
  { by, certificate }: Pick<Question, "by" | "certificate">,
): Shows {
  if (certificate !== undefined) return certificate;
  return by !== undefined && keyring.showsCertificate(by.person) ? "own" : certificates.parts.always;
}

function asBytes({ method, target, headers, content }: Sendable, request: TestRequest): TestRequest {
  const fields: Record<string, string[]> = {};
  for (const [name, value] of headers) (fields[name] ??= []).push(value);
  const { https, ip, tls, httpVersion, upgrade } = request;
  return {
    method,
    target,
    headers: fields,
    ...(content === undefined ? {} : { base64: Buffer.from(content).toString("base64") }),
    ...(https === undefined ? {} : { https }),
    ...(ip === undefined ? {} : { ip }),
    ...(tls === undefined ? {} : { tls }),
    ...(httpVersion === undefined ? {} : { httpVersion }),
    ...(upgrade === undefined ? {} : { upgrade }),
  };
}
