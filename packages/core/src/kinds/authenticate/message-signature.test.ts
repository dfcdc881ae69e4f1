/** RFC 9421: the published messages, on every platform, and what nobody published. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../lib/bytes.js";
import { createMemoryStore } from "../../store/index.js";
import { platform as node } from "../../platform/node.js";
import { platform as portable } from "../../platform/portable.js";
import { compiled } from "./authenticate.test-support.js";

interface Vector {
  readonly name: string;
  readonly label?: string;
  readonly components: readonly string[] | null;
  readonly request: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly input: string;
  readonly signature: string;
  readonly verdict: string;
}

const { keys, vectors, secret } = JSON.parse(
  readFileSync(new URL("rfc9421-vectors.json", import.meta.url), "utf8"),
) as {
  readonly keys: readonly { readonly keyid: string; readonly id: string }[];
  readonly secret: string;
  readonly vectors: readonly Vector[];
};

describe.each([node, portable])("the vectors of RFC 9421 on $name", (platform) => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))("%s", async (_name, vector) => {
    const { components, label } = vector;
    const settings = {
      type: "http-signature",
      keys,
      maxAge: "1d",
      ...(components && { components }),
      ...(label && { label }),
    };
    const now = 1_618_884_480_000;
    const kind = await compiled(
      { authenticators: { signer: settings } },
      {
        platform,
        secrets: { "env:SHARED": secret },
        store: createMemoryStore(),
        clock: { now: () => now, monotonic: () => 1000 },
      },
    );
    expect(kind.diagnostics).toEqual([]);
    const found = await kind.run("GET /", {
      now,
      request: {
        ...vector.request,
        hasContent: vector.body !== null,
        headers: new Map([
          ...Object.entries(vector.headers),
          ["signature-input", vector.input],
          ["signature", vector.signature],
        ]),
      },
      queryParameters: new Map(new URLSearchParams(vector.request["queryText"])),
    });
    found.state.bodyBytes = utf8(vector.body ?? "");
    const proof = await found.state.pending?.prove(found.state);
    const refusal = found.verdict ?? proof;
    const accepted = found.state.identity?.principal.id;
    expect(refusal?.kind === "refusal" ? refusal.reason : (accepted ?? "nobody")).toBe(
      vector.verdict === "accepted" ? signerOf(vector) : vector.verdict,
    );
  });
});

function signerOf({ input, label }: Vector): string | undefined {
  const signed = label === undefined ? input : input.slice(input.indexOf(`${label}=`));
  const keyid = /keyid="([^"]+)"/u.exec(signed)?.[1];
  return keys.find((key) => key.keyid === keyid)?.id;
}
