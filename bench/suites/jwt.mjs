// JSON Web Tokens: seen before, new, and refused. Ours is what authentication adds to a decision: two routes of one policy that differ in
// nothing else, in the same round. The others are their own calls, alone.
import { strict as assert } from "node:assert";
import { createVerifier } from "fast-jwt";
import { expressjwt } from "express-jwt";
import { jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { createHmac, timingSafeEqual, verify } from "node:crypto";
import { createEngine } from "@gatehouse/core";
import { assertDecision, bearer, decide, fields, request } from "../lib/requests.mjs";
import { sideBySide } from "../lib/side-by-side.mjs";
import { atLeast, atMost, times } from "../lib/target.mjs";
import { AUDIENCE, authenticator, claimsOf, ISSUER, keyFor, manyTokens, SECRETS } from "../lib/tokens.mjs";
import { micros } from "../lib/units.mjs";

export const title = "JSON Web Tokens";

const PEM = "express-jwt, key as PEM";
const TEXT = "express-jwt, secret as text";
const CACHED = "fast-jwt, cached";
const UNSIGNED = ["alg: none", "alg: none, signed", "confusion"];
const BAD_SIGNATURE = "bad signature";
const MALFORMED = ["garbage", "garbage with dots", "expired"];

const policy = (key) => ({
  gatehouse: 1,
  name: "bench-jwt",
  transport: { https: "off" },
  authenticators: { user: authenticator(key) },
  roles: { customer: [] },
  routes: {
    "GET /open": { authenticate: "none" },
    "GET /closed": { authorize: "authenticated" },
  },
});

const open = request("GET", "/open");

/** What a verifier can be no cheaper than: the signature, with everything prepared. */
function rawVerifier({ algorithm, key }) {
  const parts = (token) => {
    const end = token.lastIndexOf(".");
    return [token.slice(0, end), Buffer.from(token.slice(end + 1), "base64url")];
  };
  if (algorithm === "HS256") {
    return (token) => {
      const [input, signature] = parts(token);
      return timingSafeEqual(createHmac("sha256", key).update(input).digest(), signature);
    };
  }
  const how = algorithm === "ES256" ? { key, dsaEncoding: "ieee-p1363" } : key;
  return (token) => {
    const [input, signature] = parts(token);
    return verify("sha256", Buffer.from(input), how, signature);
  };
}

/** The libraries, each with its key prepared and its claims asked for. */
function peersFor({ algorithm, key, pem, secret }) {
  const asked = { algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE };
  const fast = { algorithms: [algorithm], allowedIss: ISSUER, allowedAud: AUDIENCE, key: secret ?? pem };
  return {
    fastJwt: createVerifier(fast),
    fastJwtCached: createVerifier({ ...fast, cache: true }),
    jsonwebtoken: (token) => jsonwebtoken.verify(token, key, asked),
    jose: (token) => jwtVerify(token, key, asked),
  };
}

function middleware(secret, algorithm) {
  const run = expressjwt({ secret, algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE });
  return (token) =>
    new Promise((resolve, reject) => {
      const req = { method: "GET", headers: { authorization: `Bearer ${token}` } };
      const next = (error) =>
        error === undefined ? resolve(req.auth) : reject(new Error("refused", { cause: error }));
      void run(req, {}, next);
    });
}

/** Every one of them must say the same of the same token before any is timed. */
async function assertEqual(engine, peers, raw, token) {
  const decided = decide(engine, bearer("/closed", token));
  assertDecision(decided, "admit");
  const { sub } = claimsOf();
  assert.equal(decided.principal.id, sub);
  for (const verifier of Object.values(peers)) {
    const claims = await verifier(token);
    assert.equal((claims.payload ?? claims).sub, sub);
  }
  assert.equal(raw(token), true);
}

/** A server makes new texts of what comes in: that one was looked at before is not to be seen by the text itself. */
function onTheWire(token) {
  const bytes = Buffer.from(`Bearer ${token}`);
  const list = fields("Authorization", "");
  const once = (target, length) => () => {
    const headers = list.slice();
    headers[headers.length - 1] = bytes.latin1Slice();
    headers.length = length;
    return request("GET", target, headers);
  };
  return {
    openOnce: once("/open", list.length - 2),
    closedOnce: once("/closed", list.length),
    tokenOnce: () => bytes.latin1Slice().slice("Bearer ".length),
  };
}

/** More than are remembered, so that each is forgotten before it comes again. */
const MANY = 10_100;

async function accepted(algorithm, options) {
  const key = keyFor(algorithm);
  const engine = await createEngine(policy(key), { secrets: SECRETS });
  const tokens = manyTokens(key.mint, options.short ? 50 : MANY);
  const most = tokens.length;
  const headed = tokens.map((token) => bearer("/closed", token));
  const [token] = tokens;
  const peers = peersFor(key);
  const raw = rawVerifier(key);
  await assertEqual(engine, peers, raw, token);
  const at = (index) => tokens[index % most];
  const mids = { "express-jwt": middleware(key.key, algorithm) };
  if (key.pem !== undefined) mids[PEM] = middleware(key.pem, algorithm);
  if (key.secret !== undefined) mids[TEXT] = middleware(key.secret, algorithm);
  for (const mid of Object.values(mids)) assert.equal((await mid(token)).sub, claimsOf().sub);

  const fresh = await sideBySide(
    [
      { name: "open", run: () => decide(engine, open) },
      { name: "new", run: (index) => decide(engine, headed[index % most]) },
      { name: "node:crypto", run: (index) => raw(at(index)) },
      { name: "fast-jwt", run: (index) => peers.fastJwt(at(index)) },
      { name: "jsonwebtoken", run: (index) => peers.jsonwebtoken(at(index)) },
      { name: "jose", run: (index) => peers.jose(at(index)) },
      ...Object.entries(mids).map(([name, mid]) => ({ name, run: (index) => mid(at(index)) })),
    ],
    { ...options, ms: 25 },
  );
  const { openOnce, closedOnce, tokenOnce } = onTheWire(token);
  const seen = await sideBySide(
    [
      { name: "open", run: () => decide(engine, openOnce()) },
      { name: "seen", run: () => decide(engine, closedOnce()) },
      { name: CACHED, run: () => peers.fastJwtCached(tokenOnce()) },
    ],
    { ...options, ms: 25 },
  );
  await engine.close();
  return { algorithm, fresh, seen, mids: Object.keys(mids) };
}

function rowsFor({ algorithm, fresh, seen, mids }) {
  const own = fresh.added("new", "open");
  const rows = [[algorithm, "Gatehouse, new", micros(own), "1.00x"]];
  for (const name of ["node:crypto", "fast-jwt", "jsonwebtoken", "jose", ...mids]) {
    rows.push([
      algorithm,
      `${name}, new`,
      micros(fresh.ns(name)),
      times(fresh.timesAdded(name, "new", "open")),
    ]);
  }
  rows.push([algorithm, "Gatehouse, seen before", micros(seen.added("seen", "open")), "1.00x"]);
  rows.push([algorithm, CACHED, micros(seen.ns(CACHED)), times(seen.timesAdded(CACHED, "seen", "open"))]);
  return rows;
}

/** Tokens that nobody may believe. */
function badTokens({ mint, key }) {
  const good = mint();
  const [head, payload, signature] = good.split(".");
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const confused = `${encode({ alg: "HS256", typ: "JWT" })}.${payload}`;
  const publicText = key.export({ format: "pem", type: "spki" });
  return {
    garbage: "x".repeat(good.length),
    "garbage with dots": `${"x".repeat(head.length)}.${"y".repeat(payload.length)}.${"z".repeat(signature.length)}`,
    "alg: none": `${encode({ alg: "none", typ: "JWT" })}.${payload}.`,
    "alg: none, signed": `${encode({ alg: "none", typ: "JWT" })}.${payload}.${signature}`,
    confusion: `${confused}.${createHmac("sha256", publicText).update(confused).digest("base64url")}`,
    expired: mint(claimsOf({ exp: Math.floor(Date.now() / 1000) - 60 })),
    [BAD_SIGNATURE]: withBadSignature(good),
  };
}

const refuses = (verifier) => (token) => {
  try {
    verifier(token);
    return false;
  } catch {
    return true;
  }
};
const refusesLater = (verifier) => async (token) => {
  try {
    await verifier(token);
    return false;
  } catch {
    return true;
  }
};

/** The same text with another signature, of the right length. */
function withBadSignature(token) {
  const at = token.lastIndexOf(".") + 1;
  return `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
}

/**
 * Both are one verification, of the same text, with a few microseconds around it, and what the machine does moves it by more than that from
 * one moment to the next. So they take many short turns.
 */
const SHORT_TURNS = { ms: 5, rounds: 61 };

async function badBesideGood(engine, tokens, admitNew, options) {
  const spoilt = tokens.map((token) => bearer("/closed", withBadSignature(token)));
  assertDecision(decide(engine, spoilt[0]), "refuse", "invalid-credential");
  assertDecision(admitNew(), "admit");
  return sideBySide(
    [
      { name: "refused", run: (index) => decide(engine, spoilt[index % spoilt.length]) },
      { name: "accepted", run: admitNew },
    ],
    { ...options, ...SHORT_TURNS },
  );
}

async function refused(options) {
  const key = keyFor("ES256");
  const engine = await createEngine(policy(key), { secrets: SECRETS });
  const peers = peersFor(key);
  const verifiers = {
    "fast-jwt": refuses(peers.fastJwt),
    jsonwebtoken: refuses(peers.jsonwebtoken),
    jose: refusesLater(peers.jose),
  };
  const tokens = manyTokens(key.mint, options.short ? 50 : MANY);
  const headed = tokens.map((token) => bearer("/closed", token));
  // From one comparison to the next it goes on where it was: one that began at the first token again would find remembered what the
  // comparison before it had used.
  let turn = 0;
  const admitNew = () => decide(engine, headed[turn++ % headed.length]);
  const figures = new Map();
  for (const [what, token] of Object.entries(badTokens(key))) {
    const asked = bearer("/closed", token);
    assertDecision(decide(engine, asked), "refuse", "invalid-credential");
    for (const verifier of Object.values(verifiers)) assert.equal(await verifier(token), true);
    const seen = await sideBySide(
      [
        { name: "open", run: () => decide(engine, open) },
        { name: "refused", run: () => decide(engine, asked) },
        { name: "accepted", run: admitNew },
        ...Object.entries(verifiers).map(([name, verifier]) => ({ name, run: () => verifier(token) })),
      ],
      { ...options, ms: 25 },
    );
    const beside = what === BAD_SIGNATURE ? await badBesideGood(engine, tokens, admitNew, options) : seen;
    figures.set(what, { seen, ofAdmission: beside.ratio("refused", "accepted") });
  }
  await engine.close();
  return { figures, names: Object.keys(verifiers) };
}

const ofNew = ({ fresh }, peer) => fresh.timesAdded(peer, "new", "open");
const ofRaw = (one) => 1 / ofNew(one, "node:crypto");
/** It waits for a thread: its CPU is not what its caller feels. */
const ofJose = ({ fresh }) => fresh.byClock.timesAdded("jose", "new", "open");
const ofCache = ({ seen }) => seen.timesAdded(CACHED, "seen", "open");

export async function run(options) {
  const all = [];
  for (const algorithm of ["RS256", "ES256", "HS256"]) all.push(await accepted(algorithm, options));
  const [rs, es, hs] = all;
  const { figures, names } = await refused(options);
  const refusalRows = [];
  for (const [what, { seen, ofAdmission }] of figures) {
    const peers = names.map(
      (name) => `${micros(seen.ns(name))} (${times(seen.timesAdded(name, "refused", "open"))})`,
    );
    refusalRows.push([what, micros(seen.added("refused", "open")), ...peers, times(ofAdmission)]);
  }
  const least = (whats) =>
    Math.min(
      ...whats.flatMap((what) =>
        names.map((name) => figures.get(what).seen.timesAdded(name, "refused", "open")),
      ),
    );
  const dearest = Math.max(...[...figures.values()].map(({ ofAdmission }) => ofAdmission));
  return {
    tables: [
      {
        caption: "Accepting a token: what it adds to a decision, and what others take for it",
        columns: ["algorithm", "what", "a token", "beside ours"],
        rows: all.flatMap(rowsFor),
      },
      {
        caption:
          "Refusing a token (ES256): what it adds to a decision, the whole 401 included, and what others take to throw",
        columns: ["token", "Gatehouse", ...names, "whole refusal v. whole admission of a new token"],
        rows: refusalRows,
      },
    ],
    targets: [
      atMost("6", "JWT never seen before, RS256, against node:crypto alone", 1.25, ofRaw(rs)),
      atMost("6", "JWT never seen before, ES256, against node:crypto alone", 1.25, ofRaw(es)),
      atMost("6", "JWT never seen before, HS256, against node:crypto alone", 2.5, ofRaw(hs)),
      atLeast("6", "JWT never seen before, RS256, against jose one at a time (by the clock)", 3, ofJose(rs)),
      atLeast("6", "JWT never seen before, RS256, against express-jwt with a PEM", 4, ofNew(rs, PEM)),
      atLeast(
        "6",
        "JWT never seen before, HS256, against express-jwt with a secret as text",
        40,
        ofNew(hs, TEXT),
      ),
      ...all.map((one) =>
        atLeast("7", `JWT seen before, ${one.algorithm}, against fast-jwt's cache`, 2, ofCache(one)),
      ),
      atLeast("8", "refusing `alg: none` and confusion, against the fastest of three", 20, least(UNSIGNED)),
      atLeast("8", "refusing garbage and expired tokens, against the fastest of three", 10, least(MALFORMED)),
      atMost("8", "refusing, against admitting a new token", 1, dearest),
    ],
    notes: [
      "Ours is the difference of two routes of one policy, one open and one for callers who are known; the peers are called alone, keys prepared.",
      "`node:crypto` alone checks the signature and reads no claim.",
      "New tokens differ in `jti`, and there are more of them than are remembered.",
      "A bad signature is held against the good one of the same token, in 61 short turns each: both are one verification, which moves by more than the difference.",
    ],
  };
}
