/** Signed messages with one thing wrong, signed all the same: only a good key shows whether the rest is looked at. */
import { createHash } from "node:crypto";
import { fieldOf, withField, without, type Sendable } from "../carried.js";
import type { Draft } from "./message.js";
import type { Spoil } from "./spoil.js";

export interface MessageFault {
  readonly about: string;
  readonly spoil?: Spoil;
  readonly twice?: true;
}

type Parameters = Draft["parameters"];

const parameters =
  (change: (parameters: Parameters) => Parameters) =>
  (draft: Draft): Draft => ({ ...draft, parameters: change(draft.parameters) });

const lacking = (name: string): ((draft: Draft) => Draft) =>
  parameters((all) => all.filter(([one]) => one !== name));

const saying = (name: string, value: string): ((draft: Draft) => Draft) =>
  parameters((all) => [...all.filter(([one]) => one !== name), [name, value]]);

/** Seconds, later than it is. */
const created = (change: number): ((draft: Draft) => Draft) =>
  parameters((all) =>
    all.map(([name, value]) => [name, name === "created" ? String(Number(value) + change) : value]),
  );

const uncovered =
  (name: string) =>
  (draft: Draft): Draft => ({
    ...draft,
    components: draft.components.filter((one) => one !== name),
  });

/** White space that no reader of JSON minds. */
export function altered(request: Sendable): Sendable {
  const content = Buffer.concat([request.content ?? new Uint8Array(), Buffer.of(0x20)]);
  return withField({ ...request, content }, "content-length", String(content.length));
}

function otherDigest({ request, ...draft }: Draft): Draft {
  const digest = createHash("sha256").update("something else").digest("base64");
  return { ...draft, request: withField(request, "content-digest", `sha-256=:${digest}:`) };
}

export interface MessageRules {
  /** Seconds. */
  readonly maxAge: number;
  readonly tolerance: number;
  readonly tag: string | undefined;
  readonly replay: string;
  readonly content: boolean;
  readonly derived: readonly string[];
}

export function messageFaults({
  maxAge,
  tolerance,
  tag,
  replay,
  content,
  derived,
}: MessageRules): readonly MessageFault[] {
  const target = (request: Sendable): Sendable => ({
    ...request,
    target: `${request.target}${request.target.includes("?") ? "&" : "?"}altered=1`,
  });
  return [
    {
      about: "a message that is not signed",
      spoil: { request: (request) => without(request, "signature", "signature-input") },
    },
    {
      about: "a signature that was cut off",
      spoil: {
        request: (request) =>
          withField(request, "signature", (fieldOf(request, "signature") ?? "").replace(/:.{8}/u, ":")),
      },
    },
    { about: "a target that was altered after it was signed", spoil: { request: target } },
    ...derived.map((name) => ({
      about: `a signature that does not cover \`${name}\``,
      spoil: { signature: uncovered(name) },
    })),
    ...(content
      ? [
          { about: "content that was altered after it was signed", spoil: { request: altered } },
          {
            about: "a digest of other content, under a good signature",
            spoil: { signature: otherDigest },
          },
          {
            about: "a signature that does not cover `content-digest`",
            spoil: { signature: uncovered("content-digest") },
          },
        ]
      : []),
    { about: "a signature of long ago (`created`)", spoil: { signature: created(-maxAge - tolerance - 90) } },
    { about: "a signature of the future (`created`)", spoil: { signature: created(tolerance + 90) } },
    { about: "a signature without `created`", spoil: { signature: lacking("created") } },
    {
      about: "a signature whose time is over (`expires`)",
      spoil: {
        signature: (draft: Draft) => {
          const now = Number(draft.parameters.find(([name]) => name === "created")?.[1]);
          return saying("expires", String(now - tolerance - 60))(created(-tolerance - 90)(draft));
        },
      },
    },
    {
      about: "a signature of a key that nobody knows (`keyid`)",
      spoil: { signature: saying("keyid", '"nobody-knows"') },
    },
    { about: "a signature without `keyid`", spoil: { signature: lacking("keyid") } },
    ...(tag === undefined
      ? []
      : [
          {
            about: "a signature for something else (`tag`)",
            spoil: { signature: saying("tag", '"elsewhere"') },
          },
        ]),
    ...(replay === "nonce"
      ? [{ about: "a signature without `nonce`", spoil: { signature: lacking("nonce") } }]
      : []),
    ...(replay === "allow" ? [] : [{ about: "a signed message for the second time", twice: true as const }]),
  ];
}
