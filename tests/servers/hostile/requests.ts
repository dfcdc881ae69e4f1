/** Requests that disagree with themselves on where they end, one behind the other on one connection. */
import * as fc from "fast-check";
import { plays, type Play } from "./plays.js";

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly version: string;
  readonly fields: readonly string[];
  readonly framing: Framing;
  readonly content: Content;
  readonly play: Play;
}

const CONTENTS = ["", "text", "json", "request", "requests"] as const;
type Content = (typeof CONTENTS)[number];

/** Lines of the head, and what stands behind it. */
interface Framed {
  readonly fields: readonly string[];
  readonly body: string;
}

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const chunked = (text: string, trailers = ""): string =>
  `${text === "" ? "" : chunk(text)}0\r\n${trailers}\r\n`;
const CHUNKED = "Transfer-Encoding: chunked";

/** What each does to the same content. The first are as they should be. */
const FRAMINGS = {
  none: () => ({ fields: [], body: "" }),
  length: (text) => ({ fields: [`Content-Length: ${text.length}`], body: text }),
  chunked: (text) => ({ fields: [CHUNKED], body: chunked(text) }),
  "chunks of a byte": (text) => ({ fields: [CHUNKED], body: `${Array.from(text, chunk).join("")}0\r\n\r\n` }),
  "no length": (text) => ({ fields: [], body: text }),
  "too short": (text) => ({ fields: [`Content-Length: ${Math.max(0, text.length - 3)}`], body: text }),
  "too long": (text) => ({ fields: [`Content-Length: ${text.length + 9}`], body: text }),
  "much too long": (text) => ({ fields: [`Content-Length: ${text.length + 100_000}`], body: text }),
  "said twice": (text) => ({
    fields: [`Content-Length: ${text.length}`, `Content-Length: ${text.length}`],
    body: text,
  }),
  "said in two ways": (text) => ({
    fields: ["Content-Length: 0", `Content-Length: ${text.length}`],
    body: text,
  }),
  "a list": (text) => ({ fields: [`Content-Length: ${text.length}, ${text.length}`], body: text }),
  "with a sign": (text) => ({ fields: [`Content-Length: +${text.length}`], body: text }),
  negative: (text) => ({ fields: ["Content-Length: -1"], body: text }),
  hexadecimal: (text) => ({ fields: [`Content-Length: 0x${text.length.toString(16)}`], body: text }),
  "length and chunks": (text) => ({
    fields: [`Content-Length: ${text.length}`, CHUNKED],
    body: chunked(text),
  }),
  "chunks and length": (text) => ({ fields: [CHUNKED, "Content-Length: 0"], body: chunked(text) }),
  "nearly chunked": (text) => ({ fields: ["Transfer-Encoding: xchunked"], body: chunked(text) }),
  "chunked, then not": (text) => ({ fields: [CHUNKED, "Transfer-Encoding: identity"], body: chunked(text) }),
  "chunked twice": (text) => ({ fields: [CHUNKED, CHUNKED], body: chunked(text) }),
  "coded and chunked": (text) => ({ fields: ["Transfer-Encoding: gzip, chunked"], body: chunked(text) }),
  "chunked, then coded": (text) => ({ fields: ["Transfer-Encoding: chunked, gzip"], body: chunked(text) }),
  "a blank before the colon": (text) => ({ fields: ["Transfer-Encoding : chunked"], body: chunked(text) }),
  "a tab behind the colon": (text) => ({ fields: ["Transfer-Encoding:\tchunked"], body: chunked(text) }),
  folded: (text) => ({ fields: ["Transfer-Encoding:", " chunked"], body: chunked(text) }),
  "with extensions": (text) => ({
    fields: [CHUNKED],
    body: `${text.length.toString(16)};a="b;\u00e9"\r\n${text}\r\n0;a\r\n\r\n`,
  }),
  "an extension with a line feed": (text) => ({
    fields: [CHUNKED],
    body: `${text.length.toString(16)};a\nb\r\n${text}\r\n0\r\n\r\n`,
  }),
  "a size that is none": (text) => ({ fields: [CHUNKED], body: `0x${chunk(text)}0\r\n\r\n` }),
  "a size beyond counting": (text) => ({
    fields: [CHUNKED],
    body: `fffffffffffffffff\r\n${text}\r\n0\r\n\r\n`,
  }),
  "a chunk that goes on": (text) => ({ fields: [CHUNKED], body: `1\r\n${text}ab\r\n0\r\n\r\n` }),
  "line feeds alone": (text) => ({ fields: [CHUNKED], body: chunked(text).replaceAll("\r\n", "\n") }),
  "never ended": (text) => ({ fields: [CHUNKED], body: text === "" ? "" : chunk(text) }),
  trailers: (text) => ({
    fields: [CHUNKED, "Trailer: x-play"],
    body: chunked(text, "X-Play: 0\r\nContent-Length: 3\r\nAuthorization: a\r\n"),
  }),
  "trailers that are none": (text) => ({ fields: [CHUNKED], body: chunked(text, "X Play\r\n: 0\r\n") }),
} satisfies Record<string, (text: string) => Framed>;
type Framing = keyof typeof FRAMINGS;
const [NONE, ...REST] = Object.keys(FRAMINGS) as [Framing, ...Framing[]];

const FIELDS = [
  "Expect: 100-continue",
  "Expect: the-unexpected",
  "Connection: close",
  "Connection: keep-alive, x-play",
  "Connection: Upgrade\r\nUpgrade: websocket",
  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
  "Content-Type: application/json",
  "Content-Type: text/plain",
  "Range: bytes=0-1",
  'If-None-Match: "a"',
  "TE: trailers",
  "Accept-Encoding: gzip",
  "Host: b.test",
  "X-Nul: a\0b",
  "X-Return: a\rb",
  "X-Feed: a\nX-Play: 0",
  " X-Folded: a",
  "X-Name-Alone",
  ": without a name",
  `X-Much: ${"a".repeat(20_000)}`,
];

export function requests(raw: boolean): fc.Arbitrary<Request> {
  const play = plays(raw);
  /** What reaches a handler, and tries the answer alone. */
  const mild = fc.record({
    method: fc.constantFrom("GET", "GET", "HEAD", "POST"),
    path: fc.constantFrom("/open", "/open", "/ruled", "/ruled", "/events"),
    version: fc.oneof(
      { weight: 15, arbitrary: fc.constant("HTTP/1.1") },
      { weight: 1, arbitrary: fc.constant("HTTP/1.0\r\nConnection: keep-alive") },
    ),
    fields: fc.constant<readonly string[]>([]),
    framing: fc.constantFrom<Framing>(NONE, NONE, "length", "chunked"),
    content: fc.constantFrom(...CONTENTS),
    play,
  });
  const hostile = fc.record({
    method: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom("GET", "GET", "HEAD", "POST", "POST", "PUT") },
      { weight: 1, arbitrary: fc.constantFrom("OPTIONS", "DELETE", "CONNECT", "TRACE", "get", "PRI") },
    ),
    path: fc.constantFrom(
      "/open",
      "/open",
      "/ruled",
      "/read",
      "/read",
      "/events",
      "/closed",
      "/nowhere",
      "//",
    ),
    version: fc.oneof(
      { weight: 15, arbitrary: fc.constant("HTTP/1.1") },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          "HTTP/1.0",
          "HTTP/1.0\r\nConnection: keep-alive",
          "HTTP/1.2",
          "HTTP/2.0",
          "HTTP/0.9",
          "",
        ),
      },
    ),
    fields: fc.oneof(
      { weight: 2, arbitrary: fc.constant<readonly string[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.constantFrom(...FIELDS), { minLength: 1, maxLength: 2 }) },
    ),
    framing: fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom<Framing>(NONE, "length", "chunked") },
      { weight: 1, arbitrary: fc.constantFrom<Framing>(NONE, ...REST) },
    ),
    content: fc.constantFrom(...CONTENTS),
    play,
  });
  return fc.oneof({ weight: 3, arbitrary: mild }, { weight: 1, arbitrary: hostile });
}

/** @param id told to the handler, which looks its play up by it; one more is for what hides in the body */
export function written({ method, path, version, fields, framing, content }: Request, id: number): string {
  const framed: Framed = FRAMINGS[framing](contentOf(content, id + 1));
  const line = version === "" ? `${method} ${path}` : `${method} ${path} ${version}`;
  return `${[line, "Host: a.test", `X-Play: ${id}`, ...fields, ...framed.fields].join("\r\n")}\r\n\r\n${framed.body}`;
}

/** A request that behaves, and says that it is the last. */
export function last(id: number): string {
  return `GET /open HTTP/1.1\r\nHost: a.test\r\nX-Play: ${id}\r\nConnection: close\r\n\r\n`;
}

function contentOf(content: Content, id: number): string {
  const request = `GET /open HTTP/1.1\r\nHost: a.test\r\nX-Play: ${id}\r\n\r\n`;
  if (content === "request") return request;
  if (content === "requests") return request + request;
  if (content === "json") return '{"a":1}';
  return content === "text" ? "some text" : "";
}
