/** Webhooks: whatever is changed of a signed request, a store that fails, and time that passes while a body comes. */
import { createHmac } from "node:crypto";
import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { createEngine, createMemoryStore, type Decision, type HeaderField } from "../../index.js";
import type { StateStore } from "../../ports/state-store.js";
import { checkOf } from "./authenticate.test-support.js";

const SECRET = "a-secret-of-a-sender-of-webhooks";
const START = Date.UTC(2026, 5, 1, 12);

interface Sent {
  readonly id: string;
  readonly time: string;
  readonly body: string;
  readonly signature: string;
}

function signed(body: string, time = String(START / 1000), id = "msg_1"): Sent {
  const signature = createHmac("sha256", SECRET).update(`${id}.${time}.${body}`).digest("hex");
  return { id, time, body, signature };
}

class Receiver {
  now = START;
  secret = SECRET;

  constructor(
    private readonly store: StateStore = createMemoryStore({ maxKeys: 64 }),
    private readonly replay: "allow" | "refuse" = "refuse",
  ) {}

  readonly #engine = () =>
    createEngine(
      {
        gatehouse: 1,
        name: "t",
        transport: { https: "off" },
        authenticators: {
          hook: {
            type: "signature",
            header: "X-Sig",
            timeHeader: "X-Time",
            idHeader: "X-Id",
            signed: "{id}.{time}.{body}",
            secrets: [{ secret: "env:HOOK" }],
            replay: this.replay,
          },
        },
        routes: { "POST /": { authorize: "authenticated" } },
      },
      {
        clock: { now: () => this.now, monotonic: () => this.now - START },
        secrets: { get: () => this.secret },
        store: this.store,
      },
    );
  #opened: ReturnType<typeof createEngine> | undefined;

  /** @param between what happens between head and body */
  async send(message: Sent, between?: () => void): Promise<Decision> {
    const engine = await (this.#opened ??= this.#engine());
    const bytes = Buffer.from(message.body);
    const headers: HeaderField[] = [
      ["Host", "a.test"],
      ["Content-Type", "application/json"],
      ["Content-Length", String(bytes.length)],
      ["X-Sig", message.signature],
      ["X-Time", message.time],
      ["X-Id", message.id],
    ];
    const exchange = engine.open({ method: "POST", target: "/", headers });
    const head = await exchange.head();
    if (head.outcome !== "continue") return head;
    between?.();
    const decision = await exchange.body({ bytes, complete: true });
    exchange.end(200);
    return decision;
  }
}

async function outcome(receiver: Receiver, message: Sent, between?: () => void): Promise<string> {
  const decision = await receiver.send(message, between);
  return decision.outcome === "refuse" ? `${decision.status} ${decision.code}` : decision.outcome;
}

const texts = fc.string({ unit: "binary", maxLength: 40 });
const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/u);

describe("whatever is changed of a signed request", () => {
  const receiver = new Receiver(undefined, "allow");

  test.prop([texts, ids], { numRuns: 300 })("as_signed_it_is_accepted", async (body, id) => {
    expect(await outcome(receiver, signed(body, undefined, id))).toBe("admit");
  });

  test.prop(
    [
      texts,
      ids,
      fc.record(
        { body: texts, id: ids, time: fc.integer({ min: -300, max: 300 }), signature: fc.nat({ max: 63 }) },
        { requiredKeys: [] },
      ),
    ],
    { numRuns: 500 },
  )("nothing_but_what_was_signed_is_accepted", async (body, id, change) => {
    const message = signed(body, undefined, id);
    const changed = {
      ...message,
      ...(change.body === undefined ? {} : { body: change.body }),
      ...(change.id === undefined ? {} : { id: change.id }),
      ...(change.time === undefined ? {} : { time: String(START / 1000 + change.time) }),
      ...(change.signature === undefined ? {} : { signature: flipped(message.signature, change.signature) }),
    };
    fc.pre(JSON.stringify(changed) !== JSON.stringify(message));
    expect(await outcome(receiver, changed)).toBe("401 invalid-credential");
  });

  test.prop([ids, fc.stringMatching(/^[0-9]{1,6}$/u), texts], { numRuns: 200 })(
    "no_border_between_the_signed_parts_moves",
    async (id, digits, body) => {
      const message = signed(body, undefined, id);
      const moved = { ...message, id: `${id}.${message.time}`, time: digits };
      expect(await outcome(receiver, moved)).toBe("401 invalid-credential");
    },
  );
});

function flipped(hex: string, at: number): string {
  const digit = (Number.parseInt(hex.charAt(at), 16) ^ 1).toString(16);
  return hex.slice(0, at) + digit + hex.slice(at + 1);
}

it("a_public_key_is_no_secret", async () => {
  const receiver = new Receiver();
  receiver.secret = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJhhd1ziNtEH/f8hM0seIZnSDMfDKMJSLIw8iz1RNIDO";
  await expect(outcome(receiver, signed("{}"))).rejects.toThrow(
    "`env:HOOK` holds a public or private key, not raw bytes",
  );
});

describe("replays", () => {
  it("a body that comes slowly outlasts neither its time nor the memory", async () => {
    const receiver = new Receiver();
    const message = signed("{}");
    expect(await outcome(receiver, message)).toBe("admit");
    receiver.now = START + 299_000;
    const slow = outcome(receiver, message, () => (receiver.now = START + 600_000));
    expect(await slow).toBe("401 invalid-credential");
  });

  it("a full store refuses, and forgets nothing to make room", async () => {
    const receiver = new Receiver(createMemoryStore({ maxKeys: 32 }));
    const seen: string[] = [];
    for (const body of [...Array(40).keys(), 0].map(String)) seen.push(await outcome(receiver, signed(body)));
    expect(seen.slice(0, 1)).toEqual(["admit"]);
    expect(seen.at(-1)).toBe("401 invalid-credential");
    expect(seen).toContain("503 unavailable");
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("down");
      },
    ],
    ["rejects", () => Promise.reject(new Error("down"))],
    ["never answers", () => new Promise(() => undefined)],
    ["answers no boolean", () => "OK"],
    ["answers nothing", () => undefined],
    ["promises no boolean", () => Promise.resolve(1)],
  ])("a store that %s closes the door", async (_name, once) => {
    const memory = createMemoryStore({ maxKeys: 64 });
    const store = new Proxy(memory, {
      get: (target, name) => {
        if (name === "once") return once;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    expect(await outcome(new Receiver(store), signed("{}"))).toBe("503 unavailable");
  });

  it("a store that is late but in time is heard", async () => {
    const memory = createMemoryStore({ maxKeys: 64 });
    const store = Object.assign(Object.create(memory) as StateStore, {
      once: (key: string, ttlUs: number) => Promise.resolve(key.startsWith("signature:hook:") && ttlUs > 0),
      start: () => undefined,
      close: () => undefined,
    });
    expect(await outcome(new Receiver(store), signed("{}"))).toBe("admit");
  });
});

describe("diagnostics", () => {
  const form = { type: "signature", header: "X-Sig", signed: "{body}", secrets: [{ secret: "env:A" }] };
  const problems = (settings: Readonly<Record<string, unknown>>) =>
    checkOf({ authenticators: { hook: { ...form, ...settings } } }).map(({ code, pointer, message }) => [
      code,
      pointer.replace("/authenticators/hook", ""),
      message,
    ]);

  it.each<[string, Readonly<Record<string, unknown>>, readonly (readonly string[])[]]>([
    ["a plain form is none", {}, []],
    [
      "a form beside a preset",
      { preset: "stripe" },
      [
        ["useless-key", "/header", "`header` stands beside `preset`, which says it already"],
        ["useless-key", "/signed", "`signed` stands beside `preset`, which says it already"],
      ],
    ],
    [
      "a body that is not signed",
      { signed: "{time}", timeHeader: "X-Time" },
      [["invalid-template", "/signed", "the template does not have `{body}` exactly once"]],
    ],
    [
      "names side by side",
      { signed: "{time}{body}", timeHeader: "X-Time" },
      [["invalid-template", "/signed", "two names stand side by side"]],
    ],
    [
      "a digit beside the time",
      { signed: "v0{time}:{body}", timeHeader: "X-Time" },
      [["invalid-template", "/signed", "a digit stands beside `{time}`"]],
    ],
    [
      "an unknown name",
      { signed: "{nonce}.{body}" },
      [["invalid-template", "/signed", "the template cannot be read"]],
    ],
    [
      "a time from nowhere",
      { signed: "{time}.{body}" },
      [
        [
          "missing-key",
          "",
          "`timeHeader` is missing: `signed` has `{time}`, and nothing says where it comes from",
        ],
      ],
    ],
    [
      "a time that nobody signs",
      { timeHeader: "X-Time" },
      [
        [
          "unsigned-part",
          "/timeHeader",
          "`{time}` is not in `signed`: whoever carries the message could change it",
        ],
      ],
    ],
    [
      "no signature in the format",
      { format: "t={time}" },
      [
        ["invalid-template", "/format", "the format does not have one signature"],
        [
          "unsigned-part",
          "/format",
          "`{time}` is not in `signed`: whoever carries the message could change it",
        ],
      ],
    ],
    [
      "entries that look alike",
      { format: "{hex},{time}", separator: "comma", signed: "{time}.{body}" },
      [["invalid-template", "/format", "entries of the list cannot be told apart"]],
    ],
    [
      "a tolerance without a time",
      { tolerance: "1m" },
      [["useless-key", "/tolerance", "`tolerance` means nothing where no time is signed"]],
    ],
    [
      "replays refused for no one knows how long",
      { replay: "refuse" },
      [
        [
          "missing-key",
          "",
          "`remember` is missing: no time is signed, so nothing says for how long a message is to be remembered",
        ],
      ],
    ],
    [
      "a path into claims that are not there",
      { principal: { id: "data.id" } },
      [["invalid-path", "/principal/id", "a webhook has no claims that a path could lead into"]],
    ],
  ])("%s", (_name, settings, expected) => {
    expect(problems(settings)).toEqual(expected);
  });
});
