/**
 * Names of header fields: checked, lower-cased and classified once, then looked up. `X_Forwarded_For` is a name of its own and never
 * reads as `X-Forwarded-For`.
 */

/** Bits of what a field means to normalization. */
export const FIELD = {
  /** Two of it are refused: readers differ in which one they take (RFC 9110 section 5.3). */
  singleton: 1,
  /** Joined with `; ` (RFC 9113 section 8.2.3). */
  cookie: 2,
  host: 4,
  contentLength: 8,
  transferEncoding: 16,
  connection: 32,
  upgrade: 64,
  expect: 128,
  earlyData: 256,
  methodOverride: 512,
  /** Must not stand in an HTTP/2 message (RFC 9113 section 8.2.2). */
  hopByHop: 1024,
  /** A pseudo-header field of HTTP/2. */
  pseudo: 2048,
} as const;

/** One object for each name, so that what is met twice in a message is found without a look-up of its own. */
export class FieldName {
  /** The latest reading that met it, and where it put the value. */
  reading = 0;
  at = 0;

  /**
   * @param name lower case
   * @param bits union of the bits of `FIELD`
   */
  constructor(
    readonly name: string,
    readonly bits: number,
  ) {}
}

const { singleton, hopByHop, pseudo } = FIELD;

const MEANING: ReadonlyMap<string, number> = new Map([
  ["host", FIELD.host | singleton],
  ["content-length", FIELD.contentLength | singleton],
  ["transfer-encoding", FIELD.transferEncoding | hopByHop],
  ["connection", FIELD.connection | hopByHop],
  ["keep-alive", hopByHop],
  ["proxy-connection", hopByHop],
  ["upgrade", FIELD.upgrade | hopByHop],
  ["http2-settings", singleton | hopByHop],
  ["expect", FIELD.expect],
  ["early-data", FIELD.earlyData],
  ["x-http-method-override", FIELD.methodOverride],
  ["x-http-method", FIELD.methodOverride],
  ["x-method-override", FIELD.methodOverride],
  ["cookie", FIELD.cookie],
  [":authority", pseudo | singleton],
  [":method", pseudo | singleton],
  [":path", pseudo | singleton],
  [":scheme", pseudo | singleton],
]);

/** Fields whose definition allows one value only; a list there is read differently by different readers. */
const SINGLETONS: readonly string[] = [
  "authorization",
  "proxy-authorization",
  "content-type",
  "content-location",
  "content-range",
  "origin",
  "referer",
  "user-agent",
  "from",
  "date",
  "max-forwards",
  "range",
  "if-range",
  "if-modified-since",
  "if-unmodified-since",
  "sec-fetch-site",
  "sec-fetch-mode",
  "sec-fetch-dest",
  "sec-fetch-user",
  "sec-websocket-key",
  "sec-websocket-version",
  "access-control-request-method",
  "dpop",
  "idempotency-key",
];

/** Frequent names that need no classification; known from the start, so that a flood of odd names cannot push them out. */
const FREQUENT: readonly string[] = [
  "accept",
  "accept-encoding",
  "accept-language",
  "access-control-request-headers",
  "cache-control",
  "cf-connecting-ip",
  "content-encoding",
  "dnt",
  "forwarded",
  "if-match",
  "if-none-match",
  "pragma",
  "priority",
  "sec-ch-ua",
  "sec-ch-ua-mobile",
  "sec-ch-ua-platform",
  "te",
  "traceparent",
  "tracestate",
  "upgrade-insecure-requests",
  "via",
  "x-api-key",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "x-request-id",
  "x-requested-with",
];

/** Names beyond the known ones are remembered up to here; what comes later is read anew each time. */
const MAX_REMEMBERED = 1024;
const MAX_REMEMBERED_LENGTH = 64;

/** A power of two. */
const PLACES = 256;

/**
 * Where a spelling is looked for first: by its length and three of its characters. A name that came with a request has no hash yet, and to
 * make one for the table of all names takes longer than to compare it with the one that came last to this place. The factors keep apart
 * all names that browsers and proxies send, in lower case and as `Content-Type`.
 */
function placeOf(written: string): number {
  const { length } = written;
  if (length < 3) return length;
  const characters =
    written.charCodeAt(0) + written.charCodeAt(length - 3) * 5 + written.charCodeAt(length - 1) * 13;
  return (length * 7 + characters) & (PLACES - 1);
}

interface Spelling {
  readonly written: string;
  readonly field: FieldName;
}

/** All names that one normalizer meets. */
export class FieldNames {
  readonly #bits: ReadonlyMap<string, number>;
  readonly #places: (Spelling | undefined)[] = Array.from({ length: PLACES }, () => undefined);
  /** By each spelling met. */
  readonly #known = new Map<string, FieldName>();
  /** Those of the message that is read now for which there was no room. */
  readonly #passing = new Map<string, FieldName>();

  /** @param extraSingletons lower-case names of fields that this policy reads one value from: credentials and the client's address */
  constructor(extraSingletons: Iterable<string>) {
    const bits = new Map(MEANING);
    for (const name of [...SINGLETONS, ...extraSingletons]) {
      if (name !== "cookie") bits.set(name, (bits.get(name) ?? 0) | singleton);
    }
    this.#bits = bits;
    for (const name of [...bits.keys(), ...FREQUENT]) this.#known.set(titleCase(name), this.#named(name));
  }

  /** A message begins. */
  begin(): void {
    if (this.#passing.size > 0) this.#passing.clear();
  }

  /** Undefined for what is no field name. */
  find(written: string): FieldName | undefined {
    const place = placeOf(written);
    const near = this.#places[place];
    if (near?.written === written) return near.field;
    const field = this.#known.get(written);
    if (field === undefined) return this.#read(written);
    this.#places[place] = { written, field };
    return field;
  }

  #read(written: string): FieldName | undefined {
    if (!isToken(written)) return undefined;
    const field = this.#named(written.toLowerCase());
    if (this.#hasRoom(written)) this.#known.set(written, field);
    return field;
  }

  #named(name: string): FieldName {
    const found = this.#known.get(name) ?? this.#passing.get(name);
    if (found !== undefined) return found;
    const field = new FieldName(name, this.#bits.get(name) ?? 0);
    (this.#hasRoom(name) ? this.#known : this.#passing).set(name, field);
    return field;
  }

  #hasRoom(name: string): boolean {
    return this.#known.size < MAX_REMEMBERED && name.length <= MAX_REMEMBERED_LENGTH;
  }
}

/** As most HTTP/1.1 clients write it: `Content-Type`. */
function titleCase(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

const TOKEN = tokenTable();

function tokenTable(): Uint8Array {
  const table = new Uint8Array(128);
  const characters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (let i = 0; i < characters.length; i += 1) table[characters.charCodeAt(i)] = 1;
  return table;
}

/** RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i += 1) {
    if (TOKEN[text.charCodeAt(i)] !== 1) return false;
  }
  return true;
}
