/** Fields that something set between the shaping of an answer and the wire. */
import { expect, it } from "vitest";
import { createEngine } from "../engine.js";
import type { Exchange } from "../exchange.js";
import type { HeaderField } from "../model/request.js";

async function admitted(): Promise<Exchange> {
  const engine = await createEngine({
    gatehouse: 1,
    name: "test",
    transport: { https: "off" },
    defaults: { cors: { origins: ["https://shop.example"] } },
    routes: { "GET /": { authenticate: "none" } },
  });
  const exchange = engine.open({
    method: "GET",
    target: "/",
    headers: [
      ["Host", "a.test"],
      ["Origin", "https://shop.example"],
    ],
    remoteAddress: "127.0.0.1",
    encrypted: false,
  });
  await exchange.head();
  return exchange;
}

const of = (fields: readonly HeaderField[], name: string): string[] =>
  fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);

it("the policy's fields stand over them, Vary holds both, and the rest stays", async () => {
  const exchange = await admitted();
  const shaped = exchange.respond({ status: 200, headers: [], body: { ok: true } });
  const headers = exchange.rehead([
    ...shaped.headers,
    ["X-Frame-Options", "ALLOWALL"],
    ["Content-Encoding", "gzip"],
    ["Vary", "Accept-Encoding"],
    ["ETag", '"x"'],
  ]);
  expect(of(headers, "x-frame-options")).toEqual(["DENY"]);
  expect([of(headers, "content-encoding"), of(headers, "etag")]).toEqual([["gzip"], ['"x"']]);
  expect(of(headers, "vary").join()).toMatch(/Origin.*Accept-Encoding/);
});

it("the policy's own error keeps its fields: nothing makes it cacheable, or another type", async () => {
  const exchange = await admitted();
  const shaped = exchange.fail(new Error("x"), 409);
  const headers = exchange.rehead([
    ...shaped.headers,
    ["Cache-Control", "public"],
    ["CDN-Cache-Control", "max-age=60"],
    ["Content-Type", "text/html"],
    ["Vary", "Accept-Encoding"],
    ["X-Own", "kept"],
  ]);
  expect(of(headers, "cache-control")).toEqual(["no-store"]);
  expect(of(headers, "cdn-cache-control")).toEqual([]);
  expect(of(headers, "content-type")).toEqual(["application/problem+json"]);
  expect([of(headers, "x-own"), of(headers, "vary").join()]).toEqual([
    ["kept"],
    expect.stringContaining("Accept-Encoding"),
  ]);
});
