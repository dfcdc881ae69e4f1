/** `createSecureServer`, met by real clients: what is negotiated, what is refused, what a reload changes. */
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { Agent, createServer as createHttps, request as httpsRequest, type RequestOptions } from "node:https";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { inspect, promisify } from "node:util";
import { WebSocket, WebSocketServer } from "ws";
import { describe, expect, it } from "vitest";
import { createEngine, type TlsFacts } from "@gatehouse/core";
import { issueCertificate, type CertificateOptions, type Issued } from "@gatehouse/core/conformance";
import {
  createSecureServer,
  guard,
  tlsFacts,
  type SecureHttpOptions,
  type SecureOptions,
} from "@gatehouse/node-http";
import { later, policyOf } from "./support.js";
import { listen, stop } from "./target.js";
import { ecPair, rsaPair } from "../../packages/core/src/node/key-pair.js";

/** HTTPS is required, as by default. */
const transport = { hosts: ["a.test"] };
const POLICY = policyOf({ "GET /open": {}, "GET /socket": { upgrade: "websocket" } }, { transport });
const root = issueCertificate({ subject: [["CN", "root"]], ca: true });
const HOST: CertificateOptions = { subject: [["CN", "server"]], hosts: ["a.test"], issuer: root };
const server = issueCertificate(HOST);

/** Where a test's secrets lie. */
type Secrets = Record<string, string | undefined>;
const SECRETS: Secrets = { "env:KEY": server.key, "env:CERT": server.cert };

function options(secrets: Secrets = SECRETS, more: Partial<SecureOptions> = {}): SecureOptions {
  return { key: "env:KEY", cert: "env:CERT", secrets: { get: (reference) => secrets[reference] }, ...more };
}

interface Secure {
  readonly port: number;
  readonly server: Server & { reload(): Promise<void> };
  /** Of each request that the handler saw. */
  readonly facts: (TlsFacts | undefined)[];
}

async function serve(
  given: SecureOptions = options(),
  http: SecureHttpOptions = {},
  policy = POLICY,
): Promise<Secure> {
  const engine = await createEngine(policy);
  const facts: (TlsFacts | undefined)[] = [];
  const made =
    given.http2 === true
      ? await createSecureServer(
          engine,
          (req, res) => {
            facts.push(tlsFacts(req));
            res.end("ok");
          },
          { ...given, http2: true },
          http,
        )
      : await createSecureServer(
          engine,
          (req, res) => {
            facts.push(tlsFacts(req));
            res.end("ok");
          },
          given as SecureOptions & { readonly http2?: false },
          http,
        );
  const port = await listen(made);
  later(() => stop(made));
  return { port, server: made, facts };
}

const CLIENT = { host: "127.0.0.1", servername: "a.test", ca: root.cert };

/** A handshake alone: what was negotiated, or why there is no connection. */
function shake(port: number, more: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...CLIENT, port, ...more });
    later(() => void socket.destroy());
    socket.once("secureConnect", () => {
      socket.on("error", () => undefined);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

interface Asked {
  readonly status: number | undefined;
  readonly hsts: boolean;
  readonly text: string;
  readonly peer: string;
}

function ask(port: number, more: RequestOptions = {}): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { ...CLIENT, port, path: "/open", headers: { Host: "a.test" }, agent: false, ...more },
      (res) => {
        const peer = (res.socket as TLSSocket).getPeerCertificate().fingerprint256;
        text(res).then(
          (body) =>
            resolve({
              status: res.statusCode,
              hsts: res.headers["strict-transport-security"] !== undefined,
              text: body,
              peer,
            }),
          reject,
        );
      },
    );
    request.on("error", reject).end();
  });
}

/** However the end of a connection shows: with an alert, or before it was read. */
const NO_CONNECTION = /alert|ECONNRESET|EPIPE|socket hang up|disconnected|closed/i;

const fingerprint = ({ cert }: { readonly cert: string }): string => new X509Certificate(cert).fingerprint256;

describe("what is negotiated", () => {
  it("TLS 1.3, HTTP/1.1 and a policy that sees both", async () => {
    const policy = policyOf(
      {
        "GET /open": {
          authorize: {
            when: "request.tls.protocol == 'TLSv1.3' && request.tls.cipher == 'TLS_AES_128_GCM_SHA256'",
          },
        },
      },
      { transport },
    );
    const { port, facts } = await serve(options(), {}, policy);
    expect(await ask(port)).toEqual({ status: 200, hsts: true, text: "ok", peer: fingerprint(server) });
    expect(facts).toEqual([{ protocol: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" }]);
    const socket = await shake(port, { ALPNProtocols: ["h2", "http/1.1"] });
    expect([socket.getProtocol(), socket.alpnProtocol]).toEqual(["TLSv1.3", "http/1.1"]);
  });

  it("a route that the policy has not is refused over TLS too", async () => {
    const { port, facts } = await serve();
    expect((await ask(port, { path: "/nope" })).status).toBe(404);
    expect(facts).toEqual([]);
  });

  it("TLS 1.2 with forward secrecy and authenticated encryption, in the server's order", async () => {
    const { port } = await serve();
    const socket = await shake(port, {
      maxVersion: "TLSv1.2",
      ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
    });
    expect([socket.getProtocol(), socket.getCipher().name]).toEqual([
      "TLSv1.2",
      "ECDHE-ECDSA-AES128-GCM-SHA256",
    ]);
  });

  it.each([
    { what: "TLS 1.1", client: { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" } },
    { what: "TLS 1.0", client: { minVersion: "TLSv1", maxVersion: "TLSv1" } },
    { what: "CBC", client: { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0" } },
    { what: "no forward secrecy", client: { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256" } },
    { what: "an unknown application protocol", client: { ALPNProtocols: ["spdy/3"] } },
  ] as const)("$what is refused", async ({ client }) => {
    const { port } = await serve();
    const old = {
      ciphers: "DEFAULT:@SECLEVEL=0",
      ...client,
      ALPNProtocols: [...(client.ALPNProtocols ?? [])],
    };
    await expect(shake(port, old)).rejects.toThrow(NO_CONNECTION);
  });

  it("the client of the test above is one that an older server takes", async () => {
    const lenient = createHttps({
      key: server.key,
      cert: server.cert,
      minVersion: "TLSv1",
      ciphers: "DEFAULT:@SECLEVEL=0",
    });
    const port = await listen(lenient);
    later(() => stop(lenient));
    for (const version of ["TLSv1", "TLSv1.1"] as const) {
      const socket = await shake(port, {
        minVersion: version,
        maxVersion: version,
        ciphers: "DEFAULT:@SECLEVEL=0",
      });
      expect(socket.getProtocol()).toBe(version);
    }
  });

  it("`minVersion` may ask for TLS 1.3 alone", async () => {
    const { port } = await serve(options(SECRETS, { minVersion: "TLSv1.3" }));
    await expect(shake(port, { maxVersion: "TLSv1.2" })).rejects.toThrow(/alert/);
    expect((await shake(port)).getProtocol()).toBe("TLSv1.3");
  });

  it("a session is not negotiated again", async () => {
    const { port } = await serve();
    const socket = await shake(port, { maxVersion: "TLSv1.2" });
    const failed = await new Promise((resolve) => {
      socket.once("close", () => resolve("closed")).renegotiate({}, (error) => resolve(error));
    });
    expect(failed).not.toBeNull();
  });

  it("HTTP/2 where it is wanted, HTTP/1.1 for the others, both under the policy", async () => {
    const { port, facts } = await serve(options(SECRETS, { http2: true }));
    expect(await overHttp2(port, "/open")).toEqual([200, "ok"]);
    expect((await overHttp2(port, "/nope"))[0]).toBe(404);
    expect((await overHttp2(port, "/open", "b.test"))[0]).toBe(421);
    expect((await ask(port)).status).toBe(200);
    expect((await ask(port, { path: "/nope" })).status).toBe(404);
    expect(facts.map((one) => one?.protocol)).toEqual(["TLSv1.3", "TLSv1.3"]);
  });

  it("bounds the streams of an HTTP/2 connection, unless told otherwise", async () => {
    for (const [http, bound] of [
      [{}, 100],
      [{ settings: { maxConcurrentStreams: 7 } }, 7],
    ] as const) {
      const { port } = await serve(options(SECRETS, { http2: true }), http);
      const session = connectHttp2(`https://localhost:${port}`, CLIENT);
      later(() => session.destroy());
      const settings = await new Promise<{ maxConcurrentStreams?: number }>((resolve) =>
        session.once("remoteSettings", resolve),
      );
      expect(settings.maxConcurrentStreams).toBe(bound);
    }
  });

  it.each([false, true])("curl, with --cacert, is served (HTTP/2: %s)", async (http2) => {
    const { port } = await serve(options(SECRETS, { http2 }));
    const ca = join(folder(), "ca.pem");
    writeFileSync(ca, root.cert);
    const { stdout } = await promisify(execFile)("curl", [
      "--silent",
      "--show-error",
      "--include",
      http2 ? "--http2" : "--http1.1",
      "--cacert",
      ca,
      "--resolve",
      `a.test:${port}:127.0.0.1`,
      "--header",
      "Host: a.test",
      `https://a.test:${port}/open`,
    ]);
    expect(stdout.split("\r\n")[0]?.trim()).toMatch(http2 ? /^HTTP\/2 200/ : /^HTTP\/1.1 200 OK$/);
    expect(stdout.endsWith("ok")).toBe(true);
  });

  it.each([false, true])("a websocket over TLS passes the policy first (HTTP/2: %s)", async (http2) => {
    const sockets = new WebSocketServer({ noServer: true });
    const { port } = await serve(
      options(SECRETS, {
        http2,
        onUpgrade: (req, socket, head) =>
          sockets.handleUpgrade(req, socket, head, (client) => client.send("hello")),
      }),
    );
    const dial = (path: string): Promise<string | number | undefined> =>
      new Promise((resolve, reject) => {
        const client = new WebSocket(`wss://127.0.0.1:${port}${path}`, {
          ...CLIENT,
          headers: { Host: "a.test" },
        });
        later(() => client.terminate());
        client.once("message", (message: Buffer) => resolve(message.toString()));
        client.once("unexpected-response", (_request, { statusCode }) => resolve(statusCode));
        client.once("error", reject);
      });
    expect([await dial("/socket"), await dial("/open")]).toEqual(["hello", 403]);
  });
});

async function overHttp2(
  port: number,
  path: string,
  authority = "a.test",
  more: ConnectionOptions = {},
): Promise<readonly [number | undefined, string]> {
  const session = connectHttp2(`https://localhost:${port}`, { ...CLIENT, ...more });
  later(() => session.destroy());
  const stream = session.request({ ":path": path, ":authority": authority });
  const status = await new Promise<number | undefined>((resolve, reject) => {
    session.once("error", reject).once("close", () => reject(new Error("the session was closed")));
    stream.once("response", (headers) => resolve(headers[":status"])).once("error", reject);
  });
  return [status, await text(stream)];
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "gatehouse-"));
  later(() => rmSync(made, { recursive: true }));
  return made;
}

describe("reload", () => {
  it("new connections get the new certificate, a connection that is kept goes on with the old", async () => {
    const place = folder();
    const write = ({ key, cert }: Issued): void => {
      writeFileSync(join(place, "key.pem"), key);
      writeFileSync(join(place, "cert.pem"), cert);
    };
    write(server);
    const files = {
      key: `file:${join(place, "key.pem")}`,
      cert: `file:${join(place, "cert.pem")}`,
    };
    const secure = await serve(files);
    const next = issueCertificate(HOST);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    later(() => agent.destroy());
    expect((await ask(secure.port, { agent })).peer).toBe(fingerprint(server));
    write(next);
    expect((await ask(secure.port)).peer).toBe(fingerprint(server));
    await secure.server.reload();
    expect(await ask(secure.port, { agent })).toMatchObject({ status: 200, peer: fingerprint(server) });
    expect(await ask(secure.port)).toMatchObject({ status: 200, peer: fingerprint(next) });
    expect((await shake(secure.port)).getPeerCertificate().fingerprint256).toBe(fingerprint(next));
  });

  it("on any problem the old certificate stays, and the problem is told", async () => {
    const secrets = { ...SECRETS };
    const secure = await serve(options(secrets));
    const other = issueCertificate(HOST);
    secrets["env:KEY"] = other.key;
    await expect(secure.server.reload()).rejects.toThrow(
      new Error("`key` (`env:KEY`) is not the key of the certificate in `cert` (`env:CERT`)"),
    );
    expect((await ask(secure.port)).peer).toBe(fingerprint(server));
    secrets["env:CERT"] = other.cert;
    await secure.server.reload();
    expect((await ask(secure.port)).peer).toBe(fingerprint(other));
  });

  it("two at once end with what was read last", async () => {
    const secrets = { ...SECRETS };
    const slow: (() => void)[] = [];
    let held = false;
    const secure = await serve({
      ...options(),
      secrets: {
        get: async (reference) => {
          const found = secrets[reference];
          if (held) await new Promise<void>((resolve) => slow.push(resolve));
          return found;
        },
      },
    });
    held = true;
    const first = secure.server.reload();
    const next = issueCertificate(HOST);
    secrets["env:KEY"] = next.key;
    await expect.poll(() => slow.length).toBe(1);
    held = false;
    secrets["env:CERT"] = next.cert;
    const second = secure.server.reload();
    slow[0]?.();
    await Promise.allSettled([first, second]);
    expect((await ask(secure.port)).peer).toBe(fingerprint(next));
  });

  it("a session from before is not resumed", async () => {
    const secure = await serve();
    const old: ConnectionOptions = { maxVersion: "TLSv1.2" };
    const session = await sessionOf(secure.port, old);
    expect((await shake(secure.port, { ...old, session })).isSessionReused()).toBe(true);
    await secure.server.reload();
    expect((await shake(secure.port, { ...old, session })).isSessionReused()).toBe(false);
  });
});

/** What a client would resume. TLS 1.3 gives it after the handshake. */
async function sessionOf(port: number, more: ConnectionOptions): Promise<Buffer> {
  const socket = await shake(port, more);
  return new Promise((resolve) => {
    const known = socket.getProtocol() === "TLSv1.3" ? undefined : socket.getSession();
    if (known === undefined) socket.once("session", resolve);
    else resolve(known);
  });
}

describe("key and certificate that do not do", () => {
  const weak = rsaPair(1024);
  const curve = ecPair("prime256v1");
  const encrypted = curve.privateKey
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "canary" })
    .toString();
  const past = { from: new Date("2020-01-01"), to: new Date("2021-01-01") };
  const future = { from: new Date("2048-01-01"), to: new Date("2049-01-01") };
  const old = issueCertificate({ ...HOST, ...past });
  const young = issueCertificate({ ...HOST, ...future });
  const other = issueCertificate(HOST);

  it.each([
    { what: "no key", secrets: { "env:KEY": undefined }, message: "`key` (`env:KEY`) leads to nothing" },
    { what: "an empty key", secrets: { "env:KEY": "" }, message: "`key` (`env:KEY`) leads to nothing" },
    {
      what: "no certificate",
      secrets: { "env:CERT": undefined },
      message: "`cert` (`env:CERT`) leads to nothing",
    },
    {
      what: "a key that is none",
      secrets: { "env:KEY": "canary" },
      message: "`key` (`env:KEY`) holds no private key in PEM that can be read",
    },
    {
      what: "a certificate that is none",
      secrets: { "env:CERT": "-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----" },
      message: "`cert` (`env:CERT`) holds no certificate in PEM that can be read",
    },
    {
      what: "the key in the certificate's place",
      secrets: { "env:CERT": server.key },
      message: "`cert` (`env:CERT`) holds no certificate in PEM that can be read",
    },
    {
      what: "the certificate in the key's place",
      secrets: { "env:KEY": server.cert },
      message: "`key` (`env:KEY`) holds no private key in PEM that can be read",
    },
    {
      what: "another's key",
      secrets: { "env:KEY": other.key },
      message: "`key` (`env:KEY`) is not the key of the certificate in `cert` (`env:CERT`)",
    },
    {
      what: "an encrypted key",
      secrets: { "env:KEY": encrypted },
      message: "`key` (`env:KEY`) is encrypted, and there is no `passphrase`",
    },
    {
      what: "a wrong passphrase",
      secrets: { "env:KEY": encrypted, "env:PASS": "wrong-canary" },
      more: { passphrase: "env:PASS" },
      message:
        "`key` (`env:KEY`) holds no private key in PEM that can be read, or `passphrase` (`env:PASS`) does not open it",
    },
    {
      what: "one that has expired",
      secrets: { "env:KEY": old.key, "env:CERT": old.cert },
      message: "the certificate in `cert` (`env:CERT`) has expired",
    },
    {
      what: "one that is not valid yet",
      secrets: { "env:KEY": young.key, "env:CERT": young.cert },
      message: "the certificate in `cert` (`env:CERT`) is not valid yet",
    },
    {
      what: "a weak key",
      secrets: keyed(weak.privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
      message: "the certificate in `cert` (`env:CERT`) has an RSA key of less than 2048 bits",
    },
    {
      what: "a curve that nobody takes",
      secrets: keyed(ecPair("secp256k1").privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
      message: "the certificate in `cert` (`env:CERT`) has a key on a curve that clients do not take",
    },
    {
      what: "authorities that are none",
      secrets: { "env:CA": "canary" },
      more: { ca: "env:CA", clientCertificates: "require" as const },
      message:
        "`ca` (`env:CA`) holds no certificate in PEM that can be read, or one beside others that cannot",
    },
    {
      what: "an authority among others that is none",
      secrets: {
        "env:CA": `${server.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      },
      more: { ca: "env:CA", clientCertificates: "request" as const },
      message:
        "`ca` (`env:CA`) holds no certificate in PEM that can be read, or one beside others that cannot",
    },
  ])("$what", async ({ secrets, more = {}, message }) => {
    const failed = serve(options({ ...SECRETS, ...secrets }, more));
    await expect(failed).rejects.toThrow(new Error(message));
  });

  it("a source that throws is named by its reference alone", async () => {
    const secrets = { get: () => Promise.reject(new Error("canary")) };
    const failed = await serve({ ...options(), secrets }).catch((error: unknown) => error as Error);
    expect(failed).toMatchObject({ message: "`key` (`env:KEY`) cannot be read" });
    expect(inspect(failed)).not.toContain("canary");
    const place = folder();
    await expect(serve({ key: `file:${place}`, cert: `file:${place}` })).rejects.toThrow(
      new Error(`\`key\` (\`file:${place}\`) cannot be read: it is not a regular file`),
    );
  });

  it("an encrypted key opens with its passphrase, and bytes will do", async () => {
    const issued = issueCertificate({ ...HOST, key: curve.privateKey });
    const secrets = { get: (reference: string) => Buffer.from(found[reference] ?? "") };
    const found: Secrets = { "env:KEY": encrypted, "env:PASS": "canary", "env:CERT": issued.cert };
    const { port } = await serve({ ...options(), secrets, passphrase: "env:PASS" });
    expect((await ask(port)).status).toBe(200);
  });

  it("by default `env:` and `file:` lead where an engine's secrets do", async () => {
    const place = folder();
    writeFileSync(join(place, "cert.pem"), server.cert);
    process.env["GATEHOUSE_TEST_TLS_KEY"] = server.key;
    later(() => void delete process.env["GATEHOUSE_TEST_TLS_KEY"]);
    const { port } = await serve({
      key: "env:GATEHOUSE_TEST_TLS_KEY",
      cert: `file:${join(place, "cert.pem")}`,
    });
    expect((await ask(port)).status).toBe(200);
  });
});

/** A key that signs a certificate of its own. */
function keyed(key: string): Secrets {
  return { "env:KEY": key, "env:CERT": issueCertificate({ ...HOST, key }).cert };
}

describe("client certificates", () => {
  const authority = issueCertificate({ subject: [["CN", "authority"]], ca: true });
  const stranger = issueCertificate({ subject: [["CN", "authority"]], ca: true });
  const ann = issueCertificate({
    subject: [
      ["C", "DE"],
      ["O", "Shop"],
      ["CN", "ann"],
    ],
    uris: ["spiffe://shop/ann"],
    emails: ["ann@a.test"],
    issuer: authority,
  });
  const forged = issueCertificate({ subject: ann.subject, issuer: stranger });
  const policy = policyOf(
    {
      "GET /open": {},
      "GET /ann": {
        authorize: {
          when: "has(request.tls.clientCertificate) && 'URI:spiffe://shop/ann' in request.tls.clientCertificate.subjectAltNames",
        },
      },
    },
    { transport },
  );
  const withCa = (
    clientCertificates: "request" | "require",
    more: Partial<SecureOptions> = {},
  ): SecureOptions =>
    options({ ...SECRETS, "env:CA": authority.cert }, { clientCertificates, ca: "env:CA", ...more });
  const identity = ({ key, cert }: Issued): ConnectionOptions => ({ key, cert });

  it.each(["request", "require"] as const)(
    "one that `ca` vouches for is a fact of the request: %s",
    async (mode) => {
      const { port, facts } = await serve(withCa(mode), {}, policy);
      expect((await ask(port, { ...identity(ann), path: "/ann" })).status).toBe(200);
      expect(facts).toEqual([
        {
          protocol: "TLSv1.3",
          cipher: "TLS_AES_128_GCM_SHA256",
          clientCertificate: {
            subject: "CN=ann,O=Shop,C=DE",
            subjectAltNames: ["email:ann@a.test", "URI:spiffe://shop/ann"],
            fingerprint256: fingerprint(ann).replaceAll(":", "").toLowerCase(),
            validFrom: Date.parse("2020-01-01T00:00:00Z"),
            validTo: Date.parse("2049-12-31T00:00:00Z"),
          },
        },
      ]);
    },
  );

  it("without one: `request` leaves the caller anonymous, `require` leaves it without a connection", async () => {
    const asking = await serve(withCa("request"), {}, policy);
    expect((await ask(asking.port)).status).toBe(200);
    expect((await ask(asking.port, { path: "/ann" })).status).toBe(403);
    const requiring = await serve(withCa("require"), {}, policy);
    await expect(ask(requiring.port)).rejects.toThrow(NO_CONNECTION);
    expect(requiring.facts).toEqual([]);
  });

  it.each([
    { mode: "request" as const, http2: false },
    { mode: "request" as const, http2: true },
    { mode: "require" as const, http2: false },
    { mode: "require" as const, http2: true },
  ])("presented_bad_credential_never_downgrades: $mode, HTTP/2 $http2", async ({ mode, http2 }) => {
    const { port, facts } = await serve(withCa(mode, { http2 }), {}, policy);
    await expect(ask(port, identity(forged))).rejects.toThrow(NO_CONNECTION);
    if (http2)
      await expect(overHttp2(port, "/open", "a.test", identity(forged))).rejects.toThrow(NO_CONNECTION);
    expect(facts).toEqual([]);
    expect((await ask(port, identity(ann))).status).toBe(200);
    if (http2) expect(await overHttp2(port, "/ann", "a.test", identity(ann))).toEqual([200, "ok"]);
  });

  it("`off` asks for none, and believes none", async () => {
    const { port, facts } = await serve(options(), {}, policy);
    expect((await ask(port, { ...identity(ann), path: "/ann" })).status).toBe(403);
    expect((await ask(port, identity(ann))).status).toBe(200);
    expect(facts.map((one) => one?.clientCertificate)).toEqual([undefined]);
  });

  it("on a server of the author's own, one that was not verified is no fact", async () => {
    const facts: (TlsFacts | undefined)[] = [];
    const guarded = guard(await createEngine(policy), (req, res) => {
      facts.push(tlsFacts(req));
      res.end("ok");
    });
    const own = guarded.attach(
      createHttps({ key: server.key, cert: server.cert, requestCert: true, rejectUnauthorized: false }),
    );
    const port = await listen(own);
    later(() => stop(own));
    expect((await ask(port, { ...identity(forged), path: "/ann" })).status).toBe(403);
    expect((await ask(port, identity(forged))).status).toBe(200);
    expect(facts.map((one) => one?.clientCertificate)).toEqual([undefined]);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "an authority that a reload took away vouches for nobody, resumed sessions included: %s",
    async (version) => {
      const secrets: Secrets = { ...SECRETS, "env:CA": authority.cert };
      const given = options(secrets, { clientCertificates: "require", ca: "env:CA" });
      const { port, server: own } = await serve(given, {}, policy);
      const versions = { minVersion: version, maxVersion: version };
      const resuming = {
        ...versions,
        ...identity(ann),
        session: await sessionOf(port, { ...versions, ...identity(ann) }),
      };
      expect((await shake(port, resuming)).isSessionReused()).toBe(true);
      secrets["env:CA"] = stranger.cert;
      await own.reload();
      await expect(ask(port, resuming)).rejects.toThrow(NO_CONNECTION);
    },
  );

  it("names that hold commas, quotes and line ends are told apart from two names", async () => {
    const odd = issueCertificate({
      subject: [
        ["O", "a,O=b"],
        ["CN", 'x"\nO=admin + y'],
      ],
      hosts: ["a.test, DNS:b.test", 'c"d'],
      issuer: authority,
    });
    const { port, facts } = await serve(withCa("require"), {}, policy);
    expect((await ask(port, identity(odd))).status).toBe(200);
    const [fact] = facts;
    expect(fact?.clientCertificate?.subject).toBe('CN=x\\"\\0AO=admin \\+ y,O=a\\,O=b');
    expect(fact?.clientCertificate?.subjectAltNames).toEqual(["DNS:a.test, DNS:b.test", 'DNS:c"d']);
  });
});

describe("options", () => {
  it.each([
    {
      given: { key: server.key },
      message: "`key` is not a reference to a secret; write where it lies, such as `file:PATH` or `env:NAME`",
    },
    {
      given: { cert: "" },
      message:
        "`cert` is not a reference to a secret; write where it lies, such as `file:PATH` or `env:NAME`",
    },
    { given: { minVersion: "TLSv1.1" }, message: "`minVersion` is none of TLSv1.2, TLSv1.3" },
    {
      given: { clientCertificates: "ask" },
      message: "`clientCertificates` is none of off, request, require",
    },
    {
      given: { clientCertificates: "require" },
      message: "`clientCertificates` needs `ca`: the system's authorities vouch for anybody",
    },
    { given: { ca: "env:CA" }, message: "`ca` vouches for clients, and `clientCertificates` is `off`" },
    { given: { http2: "yes" }, message: "`http2` is neither true nor false" },
    { given: { secrets: {} }, message: "`secrets.get` is not a function" },
    { given: { cret: "env:CERT" }, message: "unknown option `cret`; did you mean `cert`?" },
    { given: { onError: 1 }, message: "`onError` is not a function" },
  ])("$message", async ({ given, message }) => {
    await expect(serve({ ...options(), ...given } as SecureOptions)).rejects.toThrow(new TypeError(message));
  });

  it.each(["ciphers", "rejectUnauthorized", "SNICallback", "insecureHTTPParser", "settings"])(
    "Node's `%s` is not among those that may be given",
    async (name) => {
      const failed = serve(options(), { [name]: true });
      await expect(failed).rejects.toThrow(new RegExp(`^unknown option \`${name}\`; the options are conn`));
    },
  );

  it("Node's options of HTTP reach the server", async () => {
    const { server: own } = await serve(options(), { headersTimeout: 1234, handshakeTimeout: 2000 });
    expect((own as unknown as { headersTimeout: number }).headersTimeout).toBe(1234);
  });
});
