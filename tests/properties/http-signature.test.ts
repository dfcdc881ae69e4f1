/**
 * HTTP Message Signatures (RFC 9421) on generated messages: what a signature covers nobody can change, whatever it does not cover
 * anybody may, and its own words hold only as they were signed. The signer here shares no line with the engine.
 */
import { createHash, sign } from "node:crypto";
import { createEngine, type PolicyDocument } from "@gatehouse/core";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { ed25519Pair } from "../../packages/core/src/node/key-pair.js";

const RUNS = Number(process.env["GATEHOUSE_PROPERTY_RUNS"] ?? 300);
const NOW = Date.UTC(2026, 5, 1, 12);
const [ann, eve] = [ed25519Pair(), ed25519Pair()];

const keyOf = (name: string, { publicKey }: typeof ann) => ({
  keyid: name,
  id: name,
  algorithm: "ed25519" as const,
  key: { jwk: { ...publicKey.export({ format: "jwk" }) } },
});

const policy: PolicyDocument = {
  gatehouse: 1,
  name: "signed",
  transport: { https: "off" },
  authenticators: {
    signer: {
      type: "http-signature",
      keys: [keyOf("ann", ann), keyOf("eve", eve)],
      components: ["x-id"],
      label: "mine",
      replay: "allow",
    },
  },
  routes: { "GET|POST|PUT /*": { authorize: "authenticated" } },
};
const engine = await createEngine(policy, { clock: { now: () => NOW, monotonic: () => 0 } });
afterAll(() => engine.close());

interface Message {
  readonly method: string;
  readonly https: boolean;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** A part of a message that can change by itself. */
type Facet = "method" | "https" | "host" | "path" | "p" | "q" | "x-one" | "x-two" | "date" | "x-list";

/** What a component says of a message, and of which of its parts. */
const COMPONENTS: Readonly<
  Record<string, { readonly reads: readonly Facet[]; readonly value: (message: Message) => string }>
> = {
  '"@method"': { reads: ["method"], value: ({ method }) => method },
  '"@scheme"': { reads: ["https"], value: (message) => schemeOf(message) },
  '"@authority"': { reads: ["host"], value: ({ host }) => host },
  '"@path"': { reads: ["path"], value: ({ path }) => path },
  '"@query"': { reads: ["p", "q"], value: ({ query }) => `?${query}` },
  '"@request-target"': { reads: ["path", "p", "q"], value: (message) => targetOf(message) },
  '"@target-uri"': {
    reads: ["https", "host", "path", "p", "q"],
    value: (message) => `${schemeOf(message)}://${message.host}${targetOf(message)}`,
  },
  '"@query-param";name="p"': {
    reads: ["p"],
    value: ({ query }) => encodeURIComponent(new URLSearchParams(query).get("p") ?? ""),
  },
  '"x-one"': { reads: ["x-one"], value: ({ fields }) => fields["x-one"] ?? "" },
  '"x-two";bs': {
    reads: ["x-two"],
    value: ({ fields }) => `:${Buffer.from(fields["x-two"] ?? "", "latin1").toString("base64")}:`,
  },
  '"x-list";key="a"': {
    reads: ["x-list"],
    value: ({ fields }) => /a=(\d+)/u.exec(fields["x-list"] ?? "")?.[1] ?? "",
  },
  '"date"': { reads: ["date"], value: ({ fields }) => fields["date"] ?? "" },
};
const NAMES = Object.keys(COMPONENTS);

const schemeOf = ({ https }: Message): string => (https ? "https" : "http");
const targetOf = ({ path, query }: Message): string => `${path}?${query}`;

interface Signed extends Message {
  readonly input: string;
  readonly signature: string;
}

const list = (components: readonly string[], parameters: string): string =>
  `(${components.join(" ")});${parameters}`;

const ID = "a-1";

const created = (keyid: string): string => `created=${NOW / 1000};keyid="${keyid}"`;

/** What the policy asks for is covered besides, and with a body the digest of it. */
function signedBy(
  message: Message,
  components: readonly string[],
  { key = ann, parameters = created("ann"), label = "mine" } = {},
): Signed {
  const digest = message.body === undefined ? undefined : digestOf(message.body);
  const covered = [...components, '"x-id"', ...(digest === undefined ? [] : ['"content-digest"'])];
  const value = (name: string): string =>
    COMPONENTS[name]?.value(message) ?? (name === '"x-id"' ? ID : (digest ?? ""));
  const input = list(covered, parameters);
  const base = [...covered.map((name) => `${name}: ${value(name)}`), `"@signature-params": ${input}`].join(
    "\n",
  );
  const bytes = sign(null, Buffer.from(base), key.privateKey).toString("base64");
  const fields = digest === undefined ? message.fields : { ...message.fields, "content-digest": digest };
  return { ...message, fields, input: `${label}=${input}`, signature: `${label}=:${bytes}:` };
}

const digestOf = (body: string): string => `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;

/** Who signed, or the status. */
async function verdictOn(message: Signed): Promise<string | number> {
  const { method, host, https, fields, input, signature, body } = message;
  const decision = await engine.evaluate({
    method,
    target: targetOf(message),
    encrypted: https,
    headers: [
      ["Host", host],
      ["X-Id", ID],
      ...Object.entries(fields),
      ...(body === undefined
        ? []
        : ([
            ["Content-Type", "application/json"],
            ["Content-Length", String(Buffer.byteLength(body))],
          ] as const)),
      ["Signature-Input", input],
      ["Signature", signature],
    ],
    ...(body !== undefined && { body }),
  });
  return decision.outcome === "admit" ? (decision.principal?.id ?? "nobody") : decision.status;
}

const word = fc.string({ unit: fc.constantFrom("a", "b", "z", "0", "1", "9"), minLength: 1, maxLength: 6 });
const number = fc.nat(99).map(String);
const FACETS: Readonly<Record<Facet, (message: Message, to: string) => Message>> = {
  method: (message) => ({ ...message, method: message.method === "POST" ? "PUT" : "POST" }),
  https: (message) => ({ ...message, https: !message.https }),
  host: (message, to) => ({ ...message, host: `${to}.${message.host}` }),
  path: (message, to) => ({ ...message, path: `${message.path}/${to}` }),
  p: (message, to) => ({ ...message, query: message.query.replace(/^p=/u, `p=${to}`) }),
  q: (message, to) => ({ ...message, query: `${message.query}${to}` }),
  "x-one": (message, to) => withField(message, "x-one", (value) => `${value}${to}`),
  "x-two": (message, to) => withField(message, "x-two", (value) => `${value}, ${to}`),
  "x-list": (message) => withField(message, "x-list", (value) => value.replace("a=", "a=1")),
  date: (message, to) => withField(message, "date", (value) => `${value}${to}`),
};
const FACET_NAMES = Object.keys(FACETS) as Facet[];

function withField(message: Message, name: string, change: (value: string) => string): Message {
  return { ...message, fields: { ...message.fields, [name]: change(message.fields[name] ?? "") } };
}

const messages: fc.Arbitrary<Message> = fc
  .record({
    method: fc.constantFrom("POST", "PUT"),
    https: fc.boolean(),
    host: word.map((name) => `${name}.test`),
    path: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`),
    values: fc.tuple(word, word),
    fields: fc.record({
      "x-one": word,
      "x-two": word,
      date: word,
      "x-list": number.map((n) => `a=${n}, b=2`),
    }),
    body: fc.option(
      word.map((text) => JSON.stringify({ text })),
      { nil: undefined },
    ),
  })
  .map(({ values: [p, q], ...rest }) => ({ ...rest, query: `p=${p}&q=${q}` }));

const coverage = fc.shuffledSubarray(NAMES);

it("what_is_covered_cannot_change_and_what_is_not_may", async () => {
  const seen = { admitted: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      messages,
      coverage,
      fc.constantFrom(...FACET_NAMES),
      word,
      async (message, covered, facet, to) => {
        const signed = signedBy(message, covered);
        expect(await verdictOn(signed)).toBe("ann");
        const touched = covered.some((name) => COMPONENTS[name]?.reads.includes(facet));
        const verdict = await verdictOn({ ...signed, ...FACETS[facet](signed, to) });
        expect(verdict).toBe(touched ? 401 : "ann");
        seen[touched ? "refused" : "admitted"] += 1;
      },
    ),
    { numRuns: RUNS },
  );
  expect(Math.min(seen.admitted, seen.refused)).toBeGreaterThan(RUNS / 10);
});

it("a_body_is_the_one_that_was_signed", async () => {
  await fc.assert(
    fc.asyncProperty(messages, coverage, word, async (message, covered, text) => {
      const body = message.body ?? "{}";
      const signed = signedBy({ ...message, body }, covered);
      expect(await verdictOn(signed)).toBe("ann");
      const other = JSON.stringify({ text: `${text} ${body}` });
      expect(await verdictOn({ ...signed, body: other })).toBe(401);
      // Nor may the digest follow the body, or a body join a message that was signed without one.
      expect(await verdictOn(withDigest({ ...signed, body: other }, digestOf(other)))).toBe(401);
      const bare = signedBy({ ...message, body: undefined }, covered);
      expect(await verdictOn(withDigest({ ...bare, body: other }, digestOf(other)))).toBe(401);
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
});

const withDigest = (message: Signed, digest: string): Signed => ({
  ...message,
  fields: { ...message.fields, "content-digest": digest },
});

/** Each makes of two good signatures one that was never made. */
const FORGERIES: Readonly<Record<string, (one: Signed, two: Signed) => Partial<Signed>>> = {
  "the signature of another message": (_one, two) => ({ signature: two.signature }),
  "the input of another message": (_one, two) => ({ input: two.input }),
  "the components turned round": ({ input }) => ({
    input: input.replace(
      /\((.*?)\)/u,
      (_, names: string) =>
        `(${names
          .split(/ (?=")/u)
          .reverse()
          .join(" ")})`,
    ),
  }),
  "a component left out": ({ input }) => ({ input: input.replace(/\("[^ )]*"(?:;[^ )]*)? ?/u, "(") }),
  "a component more": ({ input }) => ({ input: input.replace(")", ' "host")').replace("( ", "(") }),
  "a component twice": ({ input }) => ({ input: input.replace(/\(([^ )]+)/u, "($1 $1") }),
  "another time": ({ input }) => ({ input: input.replace(/created=\d+/u, `created=${NOW / 1000 - 1}`) }),
  "another key": ({ input }) => ({ input: input.replace('"ann"', '"eve"') }),
  "an algorithm more": ({ input }) => ({ input: `${input};alg="ed25519"` }),
  "a time of its end more": ({ input }) => ({ input: `${input};expires=${NOW / 1000 + 60}` }),
  "a nonce more": ({ input }) => ({ input: `${input};nonce="x"` }),
  "a tag more": ({ input }) => ({ input: `${input};tag="x"` }),
  "the parameters turned round": ({ input }) => ({
    input: input.replace(/(created=\d+);(keyid="ann")/u, "$2;$1"),
  }),
  "another label of the input": ({ input }) => ({ input: input.replace("mine=", "other=") }),
  "another label of the signature": ({ signature }) => ({ signature: signature.replace("mine=", "other=") }),
  "labels that change places": (one, two) => ({
    input: `${one.input}, ${two.input.replace("mine=", "other=")}`,
    signature: `${one.signature.replace("mine=", "other=")}, ${two.signature}`,
  }),
  "no signature": () => ({ signature: "mine=::" }),
  "a signature that is no bytes": ({ signature }) => ({ signature: signature.replace(/:(.*):/u, '"$1"') }),
  "a bit of the signature": ({ signature }) => ({
    signature: signature.replace(/:(.)/u, (_, first: string) => `:${first === "A" ? "B" : "A"}`),
  }),
};

it("a_signature_holds_only_as_it_was_made", async () => {
  await fc.assert(
    fc.asyncProperty(
      messages,
      // One at least beside what is always covered, so that their order is something.
      fc.shuffledSubarray(NAMES, { minLength: 1 }),
      word,
      fc.constantFrom(...Object.keys(FORGERIES)),
      async (message, covered, to, forgery) => {
        const one = signedBy(message, covered);
        // Of another moment: each word of it is another.
        const other = FACET_NAMES.reduce((changed, facet) => FACETS[facet](changed, to), message);
        const two = signedBy(other, ['"x-one"'], { parameters: `created=${NOW / 1000 - 1};keyid="ann"` });
        const forged = { ...one, ...FORGERIES[forgery]?.(one, two) };
        expect([forgery, await verdictOn(forged)]).toEqual([forgery, 401]);
        expect(await verdictOn(one)).toBe("ann");
      },
    ),
    { numRuns: RUNS * 2 },
  );
});

it("another_key_speaks_for_itself_alone", async () => {
  await fc.assert(
    fc.asyncProperty(messages, coverage, async (message, covered) => {
      const hers = signedBy(message, covered, { key: eve, parameters: created("eve") });
      expect(await verdictOn(hers)).toBe("eve");
      const claimed = signedBy(message, covered, { key: eve, parameters: created("ann") });
      expect(await verdictOn(claimed)).toBe(401);
      const beside = signedBy(message, covered, { key: eve, parameters: created("eve"), label: "other" });
      const mine = signedBy(message, covered);
      const both = {
        ...mine,
        input: `${beside.input}, ${mine.input}`,
        signature: `${mine.signature}, ${beside.signature}`,
      };
      expect(await verdictOn(both)).toBe("ann");
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
});
