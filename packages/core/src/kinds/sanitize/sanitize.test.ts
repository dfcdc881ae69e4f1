import { describe, expect, it } from "vitest";
import { checkPolicy, createEngine, type DecisionEvent, type PolicyDocument } from "../../index.js";

const BODY = {
  type: "object",
  properties: {
    note: { type: "string" },
    count: { type: "integer" },
    inner: { $ref: "#/schemas/Inner" },
    list: { type: "array", items: { type: "object", properties: { html: { type: ["string", "null"] } } } },
    pair: { type: "array", prefixItems: [{ type: "string" }, { type: "number" }] },
    open: {},
    either: { oneOf: [{ type: "integer" }, { type: "object", properties: { deep: { const: "x" } } }] },
    map: { type: "object", additionalProperties: { type: "string" } },
    "a*b": { type: "string" },
  },
};

function policy(parts: {
  readonly request?: object;
  readonly response?: object | false;
  readonly sanitizing?: object;
  readonly groups?: object;
  readonly mode?: string;
}): PolicyDocument {
  const { request, response, sanitizing, groups, mode } = parts;
  return {
    gatehouse: 1,
    name: "t",
    transport: { https: "off" },
    schemas: {
      Inner: { type: "object", properties: { text: { type: "string" }, again: { $ref: "#/schemas/Inner" } } },
    },
    ...(sanitizing === undefined ? {} : { sanitizing }),
    ...(groups === undefined ? {} : { groups }),
    routes: {
      "POST /a": {
        authenticate: "none",
        ...(mode === undefined ? {} : { mode }),
        ...(request === undefined ? {} : { request }),
        ...(response === undefined ? {} : { response }),
      },
    },
  } as PolicyDocument;
}

const IN = "/routes/POST ~1a/request/sanitize";
const OUT = "/routes/POST ~1a/response/sanitize";

function problems(document: PolicyDocument): string[] {
  return checkPolicy(document).map(
    ({ code, pointer, message, help }) =>
      `${code} ${pointer}: ${message}${help === undefined ? "" : ` | ${help}`}`,
  );
}

const asked = (pointer: string, profile = "text"): PolicyDocument =>
  policy({ request: { body: BODY, sanitize: { [pointer]: profile } } });

describe("what is asked of a request", () => {
  it.each([
    "/note",
    "/inner/text",
    "/inner/again/again/text",
    "/list/*/html",
    "/list/0/html",
    "/pair/0",
    "/**",
    "/**/text",
    "/*",
    "/open",
    "/open/any/thing",
    "/either/deep",
    "/map/anything",
    "/map/*",
    "/a~2b",
  ])("takes %s", (pointer) => {
    expect(problems(asked(pointer))).toEqual([]);
  });

  it.each([
    [
      "/nots",
      "unmatched-sanitizing",
      "`/nots` matches nothing that the request's schema lets in | did you mean `/note`?",
    ],
    [
      "/inner/txt",
      "unmatched-sanitizing",
      "`/inner/txt` matches nothing that the request's schema lets in | did you mean `/inner/text`?",
    ],
    ["/note/x", "unmatched-sanitizing", "`/note/x` matches nothing that the request's schema lets in"],
    [
      "/list/html",
      "unmatched-sanitizing",
      "`/list/html` matches nothing that the request's schema lets in | did you mean `/list/*/html`?",
    ],
    [
      "/a~2c",
      "unmatched-sanitizing",
      "`/a~2c` matches nothing that the request's schema lets in | did you mean `/a~2b`?",
    ],
    [
      "/count",
      "no-text-to-sanitize",
      "`/count` leads to no text: the schema has another type there | point at the texts themselves; `/*` and `/**` reach below",
    ],
    [
      "/inner",
      "no-text-to-sanitize",
      "`/inner` leads to no text: the schema has another type there | point at the texts themselves; `/*` and `/**` reach below",
    ],
    [
      "/pair/1",
      "no-text-to-sanitize",
      "`/pair/1` leads to no text: the schema has another type there | point at the texts themselves; `/*` and `/**` reach below",
    ],
  ])("refuses %s", (pointer, code, rest) => {
    const written = pointer.replaceAll("~", "~0").replaceAll("/", "~1");
    const shown = problems(asked(pointer)).map((line) =>
      line.replace(/ \| did you mean `\/note`\?$/u, pointer === "/nots" ? "$&" : ""),
    );
    expect(shown).toEqual([`${code} ${IN}/${written}: ${rest}`]);
  });

  it("takes members that no schema names where they may come", () => {
    const open = policy({ request: { body: BODY, unknown: "allow", sanitize: { "/other": "text" } } });
    expect(problems(open)).toEqual([]);
  });

  it("refuses profiles that there are not", () => {
    expect(problems(asked("/note", "htm"))).toEqual([
      `unknown-profile ${IN}/~1note: unknown profile \`htm\` | did you mean \`html\`?`,
    ]);
    expect(problems(asked("/note", "comment"))).toEqual([
      `unknown-profile ${IN}/~1note: unknown profile \`comment\` | there are \`text\`, \`html\``,
    ]);
  });

  it("refuses profiles that there are not, also where a nearer setting replaces them", () => {
    const replaced = policy({
      groups: {
        "/a": { request: { sanitize: { "/note": "txt" } }, response: { sanitize: { "/x": "txt" } } },
      },
      request: { body: BODY, sanitize: { "/note": "text" } },
      response: { sanitize: { "/x": "text" } },
    });
    expect(problems(replaced)).toEqual([
      "unknown-profile /groups/~1a/request/sanitize/~1note: unknown profile `txt` | did you mean `text`?",
      "unknown-profile /groups/~1a/response/sanitize/~1x: unknown profile `txt` | did you mean `text`?",
    ]);
  });

  it("refuses a setting that has no body to act on, unless it is inherited", () => {
    expect(problems(policy({ request: { sanitize: { "/note": "text" } } }))).toEqual([
      `setting-without-effect ${IN}: \`sanitize\` is about a body that is read, and \`POST /a\` has no \`request.body\` | write \`request.body\`, or leave the key out`,
    ]);
    const inherited = { groups: { "/a": { request: { sanitize: { "/nowhere": "text" } } } } };
    expect(problems(policy(inherited))).toEqual([]);
    expect(problems(policy({ ...inherited, request: { body: BODY } }))).toEqual([]);
  });
});

describe("what is asked of an answer", () => {
  it("is held to the response's schema", () => {
    expect(problems(policy({ response: { body: BODY, sanitize: { "/nots": "text" } } }))).toEqual([
      `unmatched-sanitizing ${OUT}/~1nots: \`/nots\` matches nothing that the response schema lets out | did you mean \`/note\`?`,
    ]);
    const statuses = { "200": BODY, "404": { type: "object", properties: { why: { type: "string" } } } };
    expect(
      problems(policy({ response: { bodies: statuses, sanitize: { "/why": "text", "/note": "text" } } })),
    ).toEqual([]);
  });

  it("needs no schema", () => {
    expect(problems(policy({ response: { sanitize: { "/anything": "text" } } }))).toEqual([]);
  });
});

describe("own profiles", () => {
  const P = "/sanitizing/profiles/own";
  const own = (profile: object): string[] => problems(policy({ sanitizing: { profiles: { own: profile } } }));

  it("take what renders and nothing else", () => {
    expect(
      own({
        tags: ["p", "a", "img"],
        attributes: { a: ["href"], "*": ["title"] },
        schemes: ["https", "tel"],
      }),
    ).toEqual([]);
    expect(own({ tags: [] })).toEqual([]);
  });

  it.each([
    [
      { tags: ["script"] },
      `unsafe-markup ${P}/tags/0: the element \`script\` is never let through: it runs code`,
    ],
    [
      { tags: ["SCRIPT"] },
      `unsafe-markup ${P}/tags/0: the element \`SCRIPT\` is never let through: it runs code`,
    ],
    [
      { tags: ["style"] },
      `unsafe-markup ${P}/tags/0: the element \`style\` is never let through: it styles the whole page, and CSS can send what it finds there`,
    ],
    [
      { tags: ["iframe"] },
      `unsafe-markup ${P}/tags/0: the element \`iframe\` is never let through: it brings another document`,
    ],
    [
      { tags: ["object"] },
      `unsafe-markup ${P}/tags/0: the element \`object\` is never let through: it brings another document`,
    ],
    [
      { tags: ["svg"] },
      `unsafe-markup ${P}/tags/0: the element \`svg\` is never let through: foreign content is read by other rules, which is how markup is smuggled`,
    ],
    [
      { tags: ["math"] },
      `unsafe-markup ${P}/tags/0: the element \`math\` is never let through: foreign content is read by other rules, which is how markup is smuggled`,
    ],
    [
      { tags: ["form"] },
      `unsafe-markup ${P}/tags/0: the element \`form\` is never let through: it can send what a reader types`,
    ],
    [
      { tags: ["blokquote"] },
      `unknown-markup ${P}/tags/0: \`blokquote\` is no element that a profile can let through | did you mean \`blockquote\`?`,
    ],
    [
      { tags: ["x-card"] },
      `unknown-markup ${P}/tags/0: \`x-card\` is no element that a profile can let through | the reference lists the elements that there are`,
    ],
    [
      { tags: ["p"], attributes: { "*": ["onclick"] } },
      `unsafe-markup ${P}/attributes/*/0: the attribute \`onclick\` is never let through: it runs code`,
    ],
    [
      { tags: ["p"], attributes: { p: ["STYLE"] } },
      `unsafe-markup ${P}/attributes/p/0: the attribute \`STYLE\` is never let through: CSS can cover the page, and send what it finds there`,
    ],
    [
      { tags: ["a"], attributes: { a: ["id"] } },
      `unsafe-markup ${P}/attributes/a/0: the attribute \`id\` is never let through: names of elements shadow variables of scripts on the page`,
    ],
    [
      { tags: ["img"], attributes: { img: ["srcset"] } },
      `unsafe-markup ${P}/attributes/img/0: the attribute \`srcset\` is never let through: a list of URLs is not judged`,
    ],
    [
      { tags: ["a"], attributes: { a: ["hrf"] } },
      `unknown-markup ${P}/attributes/a/0: \`hrf\` is no attribute that a profile can let through | did you mean \`href\`?`,
    ],
    [
      { tags: ["p"], attributes: { a: ["href"] } },
      `setting-without-effect ${P}/attributes/a: \`a\` is not among the profile's \`tags\`, so none of its attributes stays | did you mean \`p\`?`,
    ],
    [
      { tags: ["a"], schemes: ["javascript"] },
      `unsafe-markup ${P}/schemes/0: URLs of \`javascript:\` are never let through: they run code, start programs, or bring a document of the sender's`,
    ],
    [
      { tags: ["a"], schemes: ["data"] },
      `unsafe-markup ${P}/schemes/0: URLs of \`data:\` are never let through: they run code, start programs, or bring a document of the sender's`,
    ],
    [
      { tags: ["a"], schemes: ["mhtml"] },
      `unsafe-markup ${P}/schemes/0: URLs of \`mhtml:\` are never let through: they run code, start programs, or bring a document of the sender's`,
    ],
  ])("%j are refused", (profile, problem) => {
    expect(own(profile)).toEqual([problem]);
  });

  it("take no option of the sanitizer's", () => {
    expect(own({ tags: ["p"], ALLOW_UNKNOWN_PROTOCOLS: true }).map((line) => line.split(":")[0])).toEqual([
      `unknown-key ${P}/ALLOW_UNKNOWN_PROTOCOLS`,
    ]);
  });

  it("are not called as the language's own are", () => {
    const named = problems(policy({ sanitizing: { profiles: { html: { tags: ["p"] } } } }));
    expect(named.map((line) => line.split(":")[0])).toEqual(["invalid-name /sanitizing/profiles/html"]);
  });
});

async function decide(
  document: PolicyDocument,
  body: unknown,
): Promise<{ body: unknown; events: DecisionEvent[] }> {
  const events: DecisionEvent[] = [];
  const engine = await createEngine(document, { onDecision: (event) => events.push(event) });
  try {
    const decision = await engine.evaluate({
      method: "POST",
      target: "/a",
      headers: [["Host", "a.test"]],
      body,
    });
    return { body: decision.outcome === "admit" ? decision.body : decision, events };
  } finally {
    await engine.close();
  }
}

describe("an engine", () => {
  it("never changes a value that somebody else parsed", async () => {
    const given = { note: "<b>x</b>", list: [{ html: "<i>y</i>" }] };
    const { body } = await decide(policy({ request: { body: BODY, sanitize: { "/**": "text" } } }), given);
    expect(body).toEqual({ note: "x", list: [{ html: "y" }] });
    expect(given).toEqual({ note: "<b>x</b>", list: [{ html: "<i>y</i>" }] });
  });

  it("tells in observe mode what would have changed, and changes nothing", async () => {
    const observing = policy({ mode: "observe", request: { body: BODY, sanitize: { "/**": "text" } } });
    const { body, events } = await decide(observing, { note: "<b>x</b>", list: [{ html: "y" }] });
    expect(body).toEqual({ note: "<b>x</b>", list: [{ html: "y" }] });
    expect(events[0]?.reports).toEqual(["`sanitize` would have changed 1 of the body's texts"]);
  });

  it("lets `text` win where two pointers meet, and else applies every profile", async () => {
    const sanitizing = { profiles: { bold: { tags: ["b", "p"] }, para: { tags: ["i", "p"] } } };
    const sanitize = { "/note": "bold", "/*": "para", "/list/*/html": "html", "/**/html": "text" };
    const { body } = await decide(policy({ sanitizing, request: { body: BODY, sanitize } }), {
      note: "<p><b>a</b><i>b</i></p>",
      list: [{ html: "<b>c</b> & d" }],
    });
    expect(body).toEqual({ note: "<p>ab</p>", list: [{ html: "c & d" }] });
  });

  it("names the place and never the text where it refuses", async () => {
    const { body, events } = await decide(
      policy({
        sanitizing: { maxDepth: 2 },
        request: { body: BODY, sanitize: { "/list/*/html": "html" } },
      }),
      { list: [{ html: "ok" }, { html: "<i><i><i>CANARY" }] },
    );
    expect(body).toMatchObject({ outcome: "refuse", stage: "sanitize", code: "invalid-body", status: 422 });
    expect(JSON.stringify(body)).toContain("/body/list/1/html");
    expect(JSON.stringify([body, events])).not.toContain("CANARY");
  });

  it("does not change a constant of the policy when it cleans what redaction put there", async () => {
    const document = policy({
      response: { redact: { "/x": { replace: { html: "<i>y</i>" } } }, sanitize: { "/**": "text" } },
    });
    const engine = await createEngine(document);
    for (let time = 0; time < 2; time++) {
      const open = engine.open({ method: "POST", target: "/a", headers: [["Host", "a.test"]] });
      await open.head();
      expect(open.respond({ status: 200, headers: [], body: { x: 1 } }).body).toBe('{"x":{"html":"y"}}');
      open.end(200);
    }
    await engine.close();
    expect(JSON.stringify(document)).toContain("<i>y</i>");
  });

  it("never changes the handler's own answer, and asks its toJSON first", async () => {
    const engine = await createEngine(policy({ response: { sanitize: { "/**": "text" } } }));
    const open = engine.open({ method: "POST", target: "/a", headers: [["Host", "a.test"]] });
    await open.head();
    const body = { a: "<b>x</b>", b: { toJSON: () => ({ c: "<b>y</b>" }) } };
    expect(open.respond({ status: 200, headers: [], body }).body).toBe('{"a":"x","b":{"c":"y"}}');
    expect(body.a).toBe("<b>x</b>");
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(open.respond({ status: 200, headers: [], body: circle }).status).toBe(500);
    open.end(200);
    await engine.close();
  });

  it("refuses an option that Node does not have", async () => {
    const dompurify = () => ({
      isSupported: true,
      sanitize: (html: string) => html,
      addHook: () => undefined,
    });
    await expect(createEngine(policy({}), { dompurify })).rejects.toThrow(
      new TypeError("`dompurify` is for pages: on Node it is loaded together with jsdom"),
    );
  });
});
