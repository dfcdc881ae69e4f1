/**
 * `allowedUrl`: which servers a caller's URL may name, against server-side request forgery. The URL must be spelled so that
 * every parser reads the same host from it; whoever fetches it may use another parser than ours.
 */

export interface AllowedUrl {
  /** Lower case, without `:`. */
  readonly schemes: readonly string[];
  /** `host`, `host:port` for a port that is not the scheme's own, or `*.host` for exactly one more label. */
  readonly hosts: readonly string[];
}

/**
 * Scheme, authority, rest. No userinfo, blank, backslash or percent-encoding in the authority: parsers differ there. Nor an `@`
 * before the first `/` behind it: some take all that stands in front of that for userinfo (`https://ok.test#@evil.test/`).
 */
const SHAPE =
  /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([A-Za-z0-9._-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?)(?:\/|$|[?#][^@/]*(?:\/|$))/u;
/** Characters that parsers drop or turn into others, wherever they stand. */
const TREACHEROUS = /[\u0000-\u0020\u007f\\]/u;

export function compileAllowedUrl({ schemes, hosts }: AllowedUrl): (text: string) => boolean {
  const exact: ReadonlySet<string> = new Set(hosts.filter((host) => !host.startsWith("*.")).map(lowerCase));
  const suffixes: ReadonlySet<string> = new Set(
    hosts.filter((host) => host.startsWith("*.")).map((host) => lowerCase(host.slice(1))),
  );
  const known: ReadonlySet<string> = new Set(schemes.map(lowerCase));
  return (text) => {
    const host = hostOf(text, known);
    if (host === undefined) return false;
    const dot = host.indexOf(".");
    return exact.has(host) || (dot > 0 && suffixes.has(host.slice(dot)));
  };
}

/** The host (with a port that is not the scheme's own) as written and as the URL Standard reads it, if those agree. */
function hostOf(text: string, schemes: ReadonlySet<string>): string | undefined {
  const match = TREACHEROUS.test(text) ? null : SHAPE.exec(text);
  if (match === null || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const written = lowerCase(match[2] ?? "");
  if (!schemes.has(lowerCase(match[1] ?? "")) || url.username !== "" || url.password !== "") return undefined;
  return written === url.host || written === `${url.hostname}:${defaultPort(url.protocol)}`
    ? url.host
    : undefined;
}

function defaultPort(protocol: string): string {
  if (protocol === "https:" || protocol === "wss:") return "443";
  return protocol === "http:" || protocol === "ws:" ? "80" : "";
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}
