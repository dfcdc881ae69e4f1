/**
 * Passwords (RFC 7617), compared by scrypt. Every guess costs the same whether there is such a user or not; what was right
 * is believed for a short while, under a key that dies with the process.
 */
import { toHex, utf8 } from "../../lib/bytes.js";
import { Recent } from "../../lib/recent.js";
import type { Fault } from "../../model/outcome.js";
import type { RequestState } from "../../model/state.js";
import type { Platform } from "../../ports/platform.js";
import { readBasic, type NameAndPassword } from "./basic-credential.js";
import type { CompiledUser } from "./basic-records.js";
import { MAX_CREDENTIAL, TOO_LONG, type Credential, type Judge } from "./credential.js";
import { bad, type Bad, type Judgement } from "./judgement.js";

const MALFORMED = bad("the credential is not base64 of a user name, a colon and a password");
/** One reason for both: whoever reads the log learns no names that somebody only tried. */
const WRONG = bad("there is no such user, or the password is wrong");
const EXPIRED = bad("the user's record has expired");
const OTHER_ROUTE = bad("the user's record is not for this route");

/** Users whose password is remembered at most; the one unused for longest goes first. */
const MAX_REMEMBERED = 10_000;

export interface BasicParts {
  readonly pointer: string;
  readonly users: readonly CompiledUser[];
  readonly platform: Platform;
  /** Microseconds; 0: nothing is believed without a computation. */
  readonly cacheUs: number;
}

interface Remembered {
  readonly user: CompiledUser;
  readonly untilUs: number;
}

export function basicJudge(parts: BasicParts): Judge {
  const { platform, cacheUs } = parts;
  const key = platform.randomBytes(32);
  const known = new Map(parts.users.map((user) => [user.name, user]));
  const right = new Recent<Remembered>(MAX_REMEMBERED);
  const running = new Map<string, Promise<CompiledUser | undefined>>();
  const busy: Fault = {
    kind: "fault",
    where: "outside",
    code: "capacity-reduced",
    reason: "too many passwords wait to be checked",
    rule: parts.pointer,
    retryAfter: 1,
  };

  /** Somebody's record, the same for the same name: a name that nobody has costs what one of the others costs. */
  const decoyFor = (name: string): CompiledUser | undefined => {
    const [a = 0, b = 0, c = 0, d = 0] = platform.hmacSha256(key, name);
    return parts.users[(((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % parts.users.length];
  };

  const compute = ({ name, password }: NameAndPassword): Promise<CompiledUser | undefined> | undefined => {
    const user = known.get(name);
    const against = user ?? decoyFor(name);
    if (against === undefined) return Promise.resolve(undefined);
    const { salt, cost, hash } = against.password;
    return platform
      .scrypt(utf8(password), salt, cost, hash.length)
      ?.then((found) => (platform.equalInConstantTime(found, hash) ? user : undefined));
  };

  return (credential, state) => {
    if (credential.text.length > MAX_CREDENTIAL) return TOO_LONG;
    const pair = readBasic(credential.text, platform.decodeBase64Url);
    if (pair === undefined) return MALFORMED;
    const digest = digestOf(credential);
    const remembered = right.get(digest);
    if (remembered !== undefined && state.monotonicUs < remembered.untilUs)
      return judgeRecord(remembered.user, state);
    const waiting = running.get(digest) ?? begin(digest, pair);
    if (waiting === undefined) return busy;
    return waiting.then(
      (user) => settle(user, digest, state),
      (error: unknown) => ({
        kind: "fault",
        where: "code",
        reason: "scrypt failed to run",
        rule: parts.pointer,
        error,
      }),
    );
  };

  /** Under a key: what is remembered cannot be guessed back from a dump of another process, or made to collide. */
  function digestOf({ text }: Credential): string {
    return toHex(platform.hmacSha256(key, text));
  }

  /** The same credential, sent many times at once, is computed once. */
  function begin(digest: string, pair: NameAndPassword): Promise<CompiledUser | undefined> | undefined {
    const computing = compute(pair)?.finally(() => running.delete(digest));
    if (computing !== undefined) running.set(digest, computing);
    return computing;
  }

  function settle(user: CompiledUser | undefined, digest: string, state: RequestState): Judgement {
    if (user === undefined) return WRONG;
    if (cacheUs > 0) right.set(digest, { user, untilUs: state.monotonicUs + cacheUs });
    return judgeRecord(user, state);
  }
}

function judgeRecord({ record }: CompiledUser, state: RequestState): Judgement | Bad {
  if (state.now >= record.expires) return EXPIRED;
  if (record.routes !== undefined && !record.routes.has(state.route.key)) return OTHER_ROUTE;
  return record.accepted;
}
