/** Every place of a policy and of the engine's options that takes a shared secret asks the same of it. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createEngine, PolicyError, type PolicyDocument } from "../index.js";
import { Report } from "../errors/diagnostics.js";
import { utf8 } from "../lib/bytes.js";
import type { CompileEnvironment } from "../model/kind.js";
import { sharedSecret } from "../model/shared-secret.js";
import { keyPair, pem } from "../platform/keys.test-support.js";
import { platform } from "../platform/node.js";

interface Place {
  readonly pointer: string;
  /** Undefined: whoever gives the secret out decides. */
  readonly least: number | undefined;
  /** Somebody else gives it out. */
  readonly foreign?: true;
  readonly document: Partial<PolicyDocument>;
}

const S = { secret: "env:S" } as const;
const JWT = { type: "jwt", issuer: "https://id.test/", audience: "api" } as const;

function under(settings: Record<string, unknown>): Partial<PolicyDocument> {
  return { authenticators: { a: settings } } as unknown as Partial<PolicyDocument>;
}

const PLACES: Readonly<Record<string, Place>> = {
  "a token's (HS256)": {
    pointer: "/authenticators/a/keys",
    least: 32,
    document: under({ ...JWT, algorithms: ["HS256"], keys: S }),
  },
  "a token's (HS256 and HS512)": {
    pointer: "/authenticators/a/keys",
    least: 64,
    document: under({ ...JWT, algorithms: ["HS256", "HS512"], keys: S }),
  },
  "a message's": {
    pointer: "/authenticators/a/keys/0/key",
    least: 32,
    foreign: true,
    document: under({
      type: "http-signature",
      components: ["@method", "@target-uri"],
      keys: [{ keyid: "k", id: "k", algorithm: "hmac-sha256", key: S }],
    }),
  },
  "a webhook's": {
    pointer: "/authenticators/a/secrets/0",
    least: 16,
    foreign: true,
    document: under({ type: "signature", header: "X-Sig", replay: "allow", signed: "{body}", secrets: [S] }),
  },
  "of nonces": {
    pointer: "/authenticators/a/senderConstrained/nonce",
    least: 32,
    document: under({
      ...JWT,
      algorithms: ["ES256"],
      keys: { pem: pem(keyPair("P-256").publicKey) },
      senderConstrained: { type: "dpop", nonce: S },
    }),
  },
  "of csrf tokens": {
    pointer: "/csrf/tokens/keys/0",
    least: 32,
    document: {
      ...under({ type: "custom", use: "session", in: "cookie", name: "sid" }),
      csrf: { tokens: { keys: [S] } },
    },
  },
  "of hashes in answers": {
    pointer: "/redaction/key",
    least: 16,
    document: { redaction: { key: S } },
  },
  "a client's": {
    pointer: "/authenticators/a/client/secret",
    least: undefined,
    foreign: true,
    document: under({
      type: "introspection",
      in: "header",
      failures: "unlimited",
      url: "https://id.test/introspect",
      issuer: "https://id.test/",
      audience: "api",
      client: { id: "api", secret: S },
    }),
  },
};

const { publicKey } = keyPair("rsa");
const der = publicKey.export({ type: "spki", format: "der" });
const SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJhhd1ziNtEH/f8hM0seIZnSDMfDKMJSLIw8iz1RNIDO";
const KEYS: readonly (string | Uint8Array)[] = [
  SSH,
  der,
  der.toString("hex"),
  [...der].join(", "),
  Buffer.concat([Buffer.alloc(1), der]),
  Buffer.from(pem(publicKey), "utf16le"),
];
const DOCUMENTS = [pem(publicKey), JSON.stringify(publicKey.export({ format: "jwk" }))];
const LONGEST = 16_384;

function documentOf({ document }: Place): PolicyDocument {
  const authenticated = document.authenticators !== undefined;
  return {
    gatehouse: 1,
    name: "t",
    transport: { https: "off" },
    ...document,
    routes: {
      "POST /": authenticated ? { authorize: "authenticated" } : { authenticate: "none" },
    },
  };
}

async function problemsOf(place: Place, secret: string | Uint8Array): Promise<readonly unknown[]> {
  try {
    const engine = await createEngine(documentOf(place), {
      secrets: { get: (reference) => (reference === "env:S" ? secret : undefined) },
      authenticators: { session: () => ({ principal: { id: "ann" } }) },
    });
    await engine.close();
    return [];
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.diagnostics.map(({ code, pointer, message, help }) => ({ code, pointer, message, help }));
  }
}

const textOf = (length: number): string => "a-secret of many words, ".repeat(1000).slice(0, length);

describe.each(Object.entries(PLACES))("a shared secret: %s", (_name, place) => {
  const { pointer, least, foreign } = place;
  const refused = (holds: string): readonly unknown[] => [
    {
      code: "invalid-key",
      pointer,
      message: `\`env:S\` holds ${holds}`,
      help:
        foreign === true
          ? "copy it again from where it was given out, as it stands there"
          : "make one of random bytes, such as by `openssl rand -hex 64`",
    },
  ];

  it.each([" ".repeat(64), new Uint8Array(64), "\r\n\t ".repeat(16)])("is no blanks", async (blank) => {
    expect(await problemsOf(place, blank)).toEqual(refused("nothing but blanks"));
  });

  it("is as long as it must be", async () => {
    expect(await problemsOf(place, textOf(least ?? 1))).toEqual([]);
    if (least !== undefined)
      expect(await problemsOf(place, textOf(least - 1))).toEqual(
        refused(`${least - 1} bytes, at least ${least} are needed`),
      );
  });

  it("is no longer than any is", async () => {
    expect(await problemsOf(place, textOf(LONGEST))).toEqual([]);
    expect(await problemsOf(place, textOf(LONGEST + 1))).toEqual(
      refused(`${LONGEST + 1} bytes, no secret has more than ${LONGEST}`),
    );
  });

  it.each(KEYS)("is no key (%#)", async (key) => {
    expect(await problemsOf(place, key)).toEqual(refused("a public or private key, not raw bytes"));
  });

  it.each(DOCUMENTS)("is no document (%#)", async (key) => {
    expect(await problemsOf(place, key)).toEqual(refused("a PEM or JWK document, not raw bytes"));
  });
});

describe("a shared secret: of hashes in events", () => {
  const refusalOf = (key: string | Uint8Array): Promise<unknown> =>
    createEngine(documentOf({ pointer: "", least: 16, document: {} }), {
      events: { hash: ["principal.id"], key },
    }).then(
      (engine) => engine.close(),
      (error: unknown) => (error instanceof TypeError ? error.message : error),
    );
  const refused = (holds: string): string =>
    `\`key\` of \`events\` holds ${holds}: make one of random bytes, such as by \`openssl rand -hex 64\``;

  it("is asked for the same", async () => {
    expect(await refusalOf(textOf(16))).toBe(undefined);
    expect(await refusalOf(textOf(15))).toBe(refused("15 bytes, at least 16 are needed"));
    expect(await refusalOf(" ".repeat(64))).toBe(refused("nothing but blanks"));
    expect(await refusalOf(textOf(LONGEST + 1))).toBe(
      refused(`${LONGEST + 1} bytes, no secret has more than ${LONGEST}`),
    );
    for (const key of KEYS)
      expect(await refusalOf(key)).toBe(refused("a public or private key, not raw bytes"));
    for (const key of DOCUMENTS)
      expect(await refusalOf(key)).toBe(refused("a PEM or JWK document, not raw bytes"));
  });
});

it.each(["base64", "hex"])("a shared secret that is no %s is told from one", async (secretEncoding) => {
  const webhook = { type: "signature", header: "X-Sig", replay: "allow", signed: "{body}", secrets: [S] };
  const place = { pointer: "", least: 16, document: under({ ...webhook, secretEncoding }) };
  expect(await problemsOf(place, "no such text, however it is read")).toEqual([
    {
      code: "invalid-key",
      pointer: "/authenticators/a/secrets/0",
      message: `\`env:S\` holds no ${secretEncoding}`,
      help: "copy it again from where it was given out, as it stands there",
    },
  ]);
});

it("a shared secret that was replaced verifies no more where it is none by now", async () => {
  const former = [textOf(31), textOf(32), SSH, " ".repeat(40), textOf(40)].map(utf8);
  const environment = {
    report: new Report(),
    platform,
    secret: async () => utf8(textOf(33)),
    formerSecrets: async () => former,
  } as unknown as CompileEnvironment;
  expect(await sharedSecret(S, "", { leastBytes: 32 }, environment)).toEqual({
    current: utf8(textOf(33)),
    former: [utf8(textOf(32)), utf8(textOf(40))],
  });
});

describe("references to secrets", () => {
  /** What stands behind each: a shared secret, which a place above is for, or what is parsed, so that nothing else passes for it. */
  const KINDS: Readonly<Record<string, "shared" | "parsed">> = {
    "redaction.key": "shared",
    "ApiKeySettings.keys": "parsed",
    "BasicSettings.users": "parsed",
    "CsrfTokens.keys": "shared",
    "DpopSettings.nonce": "shared",
    "JwtSettings.keys": "shared",
    "KeyClient.key": "parsed",
    "MessageKey.key": "shared",
    "PemKeys.pem": "parsed",
    "SecretClient.secret": "shared",
    "WebhookSettings.secrets": "shared",
  };

  it("of the language are all known here", () => {
    const schema: unknown = JSON.parse(
      readFileSync(new URL("../../policy.schema.json", import.meta.url), "utf8"),
    );
    expect(referencesIn(schema).sort()).toEqual(Object.keys(KINDS).sort());
    const shared = Object.values(KINDS).filter((kind) => kind === "shared");
    // Tokens have two places above.
    expect(Object.keys(PLACES)).toHaveLength(shared.length + 1);
  });
});

/** `Definition.key` for each `$ref` to a secret. */
function referencesIn(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== "object" || value === null) return [];
  if ("$ref" in value && value.$ref === "#/$defs/SecretReference") {
    const names = path.filter((_, index) => ["$defs", "properties"].includes(path[index - 1] ?? ""));
    return [names.join(".")];
  }
  return Object.entries(value).flatMap(([key, inner]) => referencesIn(inner, [...path, key]));
}
