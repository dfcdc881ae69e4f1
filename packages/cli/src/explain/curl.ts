/** A curl command line, as pasted, to the request that curl would send. What curl does besides sending is left aside, and told. */
import { UsageError } from "../cli/io.js";
import { choiceHelp } from "../lib/near.js";
import { DEFAULT_IP, has, placeOf, readHeader, type WireRequest } from "./request.js";
import { shellWords } from "./shell-words.js";

export interface CurlRequest {
  readonly request: WireRequest;
  /** What stood there and changes nothing, for the reader. */
  readonly ignored: readonly string[];
}

/** Options that say what is sent; by long name, whether they take a value. */
const READ = new Map<string, boolean>([
  ["request", true],
  ["header", true],
  ["data", true],
  ["data-ascii", true],
  ["data-binary", true],
  ["data-raw", true],
  ["data-urlencode", true],
  ["json", true],
  ["user", true],
  ["oauth2-bearer", true],
  ["cookie", true],
  ["user-agent", true],
  ["referer", true],
  ["url", true],
  ["head", false],
  ["get", false],
  ["compressed", false],
  ["path-as-is", false],
]);

/** Options that change nothing that a policy sees. */
const ASIDE = new Map<string, boolean>(
  [
    "silent show-error verbose include location location-trusted fail fail-with-body insecure no-buffer globoff progress-bar remote-name",
    "remote-time tcp-nodelay tcp-fastopen ipv4 ipv6 http1.1 http2 http2-prior-knowledge http3 disable no-progress-meter parallel tlsv1.2 tlsv1.3 no-keepalive ssl-reqd",
  ]
    .join(" ")
    .split(" ")
    .map((name): [string, boolean] => [name, false])
    .concat(
      "output write-out max-time connect-timeout retry retry-delay retry-max-time cacert capath resolve connect-to proxy interface dump-header cookie-jar limit-rate max-redirs trace trace-ascii stderr keepalive-time dns-servers ciphers tls-max noproxy"
        .split(" ")
        .map((name): [string, boolean] => [name, true]),
    ),
);

/** What would change the request in ways that are not rebuilt here. */
const REFUSED: Readonly<Record<string, string>> = {
  form: "multipart forms are not put together here; give the finished body with `--data-binary` and its Content-Type",
  "form-string":
    "multipart forms are not put together here; give the finished body with `--data-binary` and its Content-Type",
  "upload-file": "give the content with `--data-binary` and the method with `-X PUT`",
  cert: "a client certificate is nothing that this version's policies read",
  digest: "Digest takes two requests; no policy accepts it",
  ntlm: "NTLM takes several requests; no policy accepts it",
  negotiate: "Negotiate takes several requests; no policy accepts it",
  "aws-sigv4": "the signature depends on a secret of yours; give the finished header with `-H`",
  config: "options in a file are not read; write them on the command line",
  next: "one request is explained at a time",
  netrc: "passwords in a file are not read; write `-u name:password`",
  "http1.0": "only HTTP/1.1 and later are explained",
};

const SHORT: Readonly<Record<string, string>> = {
  X: "request",
  H: "header",
  d: "data",
  u: "user",
  b: "cookie",
  A: "user-agent",
  e: "referer",
  I: "head",
  G: "get",
  s: "silent",
  S: "show-error",
  v: "verbose",
  i: "include",
  L: "location",
  f: "fail",
  k: "insecure",
  N: "no-buffer",
  g: "globoff",
  "#": "progress-bar",
  O: "remote-name",
  R: "remote-time",
  "4": "ipv4",
  "6": "ipv6",
  q: "disable",
  Z: "parallel",
  o: "output",
  w: "write-out",
  m: "max-time",
  x: "proxy",
  D: "dump-header",
  c: "cookie-jar",
  F: "form",
  T: "upload-file",
  E: "cert",
  K: "config",
  n: "netrc",
  "0": "http1.0",
  ":": "next",
};

interface Option {
  readonly name: string;
  /** As it was written. */
  readonly written: string;
  readonly value: string;
}

/**
 * @param readFile for `-d @file`
 * @throws UsageError for an option that it does not know, and for what it cannot rebuild
 */
export async function readCurl(
  line: string,
  readFile: (path: string) => Promise<string>,
): Promise<CurlRequest> {
  const { words, endedBy } = shellWords(line);
  const [command = "", ...rest] = words;
  if (!/^(?:.*[/\\])?curl(?:\.exe)?$/u.test(command))
    throw new UsageError(
      "the command line does not begin with `curl`",
      "paste the whole command, in single quotes",
    );
  const { options, operands } = readOptions(rest);
  const request = await new Builder(options, operands, readFile).build();
  const ignored = options.filter(({ name }) => ASIDE.has(name)).map(({ written }) => `\`${written}\``);
  return {
    request,
    ignored:
      endedBy === undefined
        ? ignored
        : [
            ...ignored,
            `what stands behind ${endedBy === "a line feed" ? endedBy : `\`${endedBy}\``}, where a shell ends the command`,
          ],
  };
}

function readOptions(words: readonly string[]): {
  readonly options: readonly Option[];
  readonly operands: readonly string[];
} {
  const options: Option[] = [];
  const operands: string[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith("--") && word.length > 2) {
      const name = word.slice(2);
      options.push({ name, written: word, value: takesValue(name, word) ? valueOf(word, rest) : "" });
    } else if (word.startsWith("-") && word.length > 1) {
      for (let at = 1; at < word.length; at += 1) {
        const letter = word[at] ?? "";
        const written = `-${letter}`;
        const name = SHORT[letter];
        if (name === undefined) throw unknown(written);
        if (!takesValue(name, written)) options.push({ name, written, value: "" });
        else {
          options.push({
            name,
            written,
            value: at + 1 < word.length ? word.slice(at + 1) : valueOf(written, rest),
          });
          break;
        }
      }
    } else operands.push(word);
  }
  return { options, operands };
}

function takesValue(name: string, written: string): boolean {
  const refused = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
  if (refused !== undefined) throw new UsageError(`curl's \`${written}\` cannot be explained`, refused);
  const takes = READ.get(name) ?? ASIDE.get(name);
  if (takes === undefined) throw unknown(written);
  return takes;
}

function unknown(written: string): UsageError {
  const known = [...READ.keys(), ...ASIDE.keys()].map((name) => `--${name}`);
  const help = written.startsWith("--") ? choiceHelp(written, known, "options") : "";
  return new UsageError(
    `curl's \`${written}\` is not known here`,
    help.startsWith("did you") ? help : "leave it out where it does not change what is sent",
  );
}

function valueOf(written: string, rest: string[]): string {
  const value = rest.shift();
  if (value === undefined) throw new UsageError(`curl's \`${written}\` needs a value`);
  return value;
}

class Builder {
  private readonly headers: [string, string][] = [];
  /** Fields that curl would send by itself and `-H 'Name:'` takes out. */
  private readonly removed = new Set<string>();

  constructor(
    private readonly options: readonly Option[],
    private readonly operands: readonly string[],
    private readonly readFile: (path: string) => Promise<string>,
  ) {}

  async build(): Promise<WireRequest> {
    for (const value of this.values("header")) this.addHeader(value);
    const json = this.values("json");
    const data = await this.data();
    const get = this.flag("get");
    const place = this.place(get ? data : undefined);
    const body = get || data === undefined ? undefined : new TextEncoder().encode(data);
    this.addOwn(json.length > 0, body !== undefined);
    if (!has(this.headers, "host") && place.host !== undefined) this.headers.unshift(["Host", place.host]);
    const method =
      this.values("request").at(-1) ?? (this.flag("head") ? "HEAD" : body === undefined ? "GET" : "POST");
    return { method, target: place.target, headers: this.headers, body, https: place.https, ip: DEFAULT_IP };
  }

  private addHeader(line: string): void {
    if (line.startsWith("@")) throw new UsageError("headers in a file are not read", "write each with `-H`");
    const emptied = /^([^:;]+);$/u.exec(line)?.[1];
    if (emptied !== undefined) {
      this.headers.push([emptied, ""]);
      return;
    }
    const [name, value] = readHeader(line);
    if (value === "") this.removed.add(name.toLowerCase());
    else this.headers.push([name, value]);
  }

  /** What curl adds where the command does not say otherwise. */
  private addOwn(json: boolean, body: boolean): void {
    const user = this.values("user").at(-1);
    const bearer = this.values("oauth2-bearer").at(-1);
    const cookies = this.values("cookie");
    const file = cookies.find((one) => !one.includes("="));
    if (file !== undefined) throw new UsageError("cookies in a file are not read", "write `-b 'name=value'`");
    if (user !== undefined) this.add("Authorization", `Basic ${Buffer.from(user).toString("base64")}`);
    if (bearer !== undefined) this.add("Authorization", `Bearer ${bearer}`);
    if (cookies.length > 0) this.add("Cookie", cookies.join("; "));
    this.add("User-Agent", this.values("user-agent").at(-1) ?? "curl");
    const referer = this.values("referer").at(-1);
    if (referer !== undefined) this.add("Referer", referer);
    this.add("Accept", json ? "application/json" : "*/*");
    if (this.flag("compressed")) this.add("Accept-Encoding", "deflate, gzip");
    if (body) this.add("Content-Type", json ? "application/json" : "application/x-www-form-urlencoded");
  }

  private add(name: string, value: string): void {
    const key = name.toLowerCase();
    if (!this.removed.has(key) && !has(this.headers, key)) this.headers.push([name, value]);
  }

  /** In the order written, joined as curl joins them: `--json` as it is, the others with `&`. */
  private async data(): Promise<string | undefined> {
    let text: string | undefined;
    for (const { name, value } of this.options) {
      if (name !== "json" && !name.startsWith("data")) continue;
      const part = await this.dataPart(name, value);
      text = text === undefined ? part : `${text}${name === "json" ? "" : "&"}${part}`;
    }
    return text;
  }

  private async dataPart(name: string, value: string): Promise<string> {
    if (name === "data-raw") return value;
    if (name === "data-urlencode") return urlEncoded(value);
    if (!value.startsWith("@")) return value;
    const content = await this.readFile(value.slice(1));
    return name === "data" || name === "data-ascii" ? content.replaceAll(/[\r\n\0]/gu, "") : content;
  }

  private place(query: string | undefined): ReturnType<typeof placeOf> {
    const urls = [...this.values("url"), ...this.operands];
    const [url, other] = urls;
    if (url === undefined) throw new UsageError("the curl command has no URL");
    if (other !== undefined)
      throw new UsageError("the curl command has several URLs", "one request is explained at a time");
    const place = placeOf(/^[a-z]+:\/\//iu.test(url) ? url : `http://${url}`);
    const target = this.flag("path-as-is") ? place.target : withoutDots(place.target);
    if (query === undefined) return { ...place, target };
    return { ...place, target: `${target}${target.includes("?") ? "&" : "?"}${query}` };
  }

  private values(name: string): readonly string[] {
    return this.options.filter((option) => option.name === name).map(({ value }) => value);
  }

  private flag(name: string): boolean {
    return this.options.some((option) => option.name === name);
  }
}

function urlEncoded(value: string): string {
  if (value.startsWith("@") || /^[^=]*@/u.test(value.split("=")[0] ?? ""))
    throw new UsageError("`--data-urlencode` of a file is not read", "write the value itself");
  const equals = value.indexOf("=");
  const encode = (text: string): string =>
    encodeURIComponent(text).replaceAll(
      /[!'()*]/gu,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  if (equals === -1) return encode(value);
  const name = value.slice(0, equals);
  return `${name === "" ? "" : `${name}=`}${encode(value.slice(equals + 1))}`;
}

/** As curl squashes a path before it asks for it (RFC 3986 section 5.2.4). */
function withoutDots(target: string): string {
  const [path = "", ...query] = target.split(/(?=\?)/u);
  const out: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    const plain = segment.replaceAll(/%2e/giu, ".");
    if (plain === "..") out.pop();
    if (plain !== "." && plain !== "..") out.push(segment);
    else if (last) out.push("");
  }
  return `/${out.join("/")}${query.join("")}`;
}
