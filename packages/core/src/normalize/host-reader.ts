/** The one host that a request is for, from up to four places that may name it. */
import type { Refusal } from "../model/outcome.js";
import type { RawRequest } from "../model/request.js";
import type { ClientReader } from "./client.js";
import type { FieldReader } from "./fields.js";
import type { Authority } from "./host.js";
import { formatAuthority, parseAuthority, sameAuthority } from "./host.js";
import { memoizedFromLast } from "./memo.js";
import { refusal } from "./refusals.js";

const NO_HOST = refusal("ambiguous-host", "the request names no host");
const BAD_HOST = refusal("ambiguous-host", "the host is no host name");
const TWO_HOSTS = refusal("ambiguous-host", "`:authority` and Host differ");
const FOREIGN_TARGET = refusal("ambiguous-path", "the target's host differs from Host");

/** A server has few names; the rest is scanners' noise. */
const MAX_HOSTS = 256;

export class HostReader {
  private readonly authority: (text: string) => Authority | null = memoizedFromLast(
    MAX_HOSTS,
    (text) => parseAuthority(text) ?? null,
  );

  /**
   * @param target authority of an absolute-form target
   * @returns canonical text; `""` where an HTTP/1.0 request names none
   */
  read(
    raw: RawRequest,
    fields: FieldReader,
    target: Authority | undefined,
    client: ClientReader,
  ): string | Refusal {
    const own = this.readOwn(raw, fields, client.scheme);
    if (own !== undefined && "kind" in own) return own;
    if (own !== undefined && target !== undefined && !sameAuthority(own, target, client.scheme)) {
      return FOREIGN_TARGET;
    }
    const host = client.host === undefined ? (own ?? target) : this.authority(client.host);
    if (host === null) return BAD_HOST;
    return host === undefined ? "" : formatAuthority(host, client.scheme);
  }

  /** HTTP/2 names it in `:authority`; HTTP/1.0 may leave it out. */
  private readOwn(
    raw: RawRequest,
    fields: FieldReader,
    scheme: "http" | "https",
  ): Authority | Refusal | undefined {
    const written = fields.headers.get("host");
    if (fields.authority === undefined) {
      if (written === undefined || written === "") return raw.httpVersion === "1.0" ? undefined : NO_HOST;
      return this.authority(written) ?? BAD_HOST;
    }
    const asked = this.authority(fields.authority);
    if (asked === null) return BAD_HOST;
    if (written === undefined) {
      fields.headers.add("host", fields.authority);
      return asked;
    }
    const host = this.authority(written);
    return host !== null && sameAuthority(host, asked, scheme) ? asked : TWO_HOSTS;
  }
}
