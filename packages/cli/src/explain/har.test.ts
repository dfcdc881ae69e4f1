import { expect, it } from "vitest";
import { readHar } from "./har.js";

const har = (...requests: readonly object[]): string =>
  JSON.stringify({ log: { version: "1.2", entries: requests.map((request) => ({ request })) } });

const POST = {
  method: "POST",
  url: "https://api.example.com/orders?x=1#part",
  httpVersion: "h2",
  headers: [
    { name: ":authority", value: "api.example.com" },
    { name: ":method", value: "POST" },
    { name: "content-type", value: "application/json" },
    { name: "cookie", value: "a=1" },
  ],
  postData: { mimeType: "application/json", text: '{"a":1}' },
};

it("reads an entry, with HTTP/2's pseudo-header fields in their old places", () => {
  const request = readHar(har({ method: "GET", url: "http://a.test/", headers: [] }, POST), "x.har", 2);
  expect(request).toMatchObject({
    method: "POST",
    target: "/orders?x=1",
    https: true,
    headers: [
      ["Host", "api.example.com"],
      ["content-type", "application/json"],
      ["cookie", "a=1"],
    ],
  });
  expect(new TextDecoder().decode(request.body)).toBe('{"a":1}');
});

it("reads content in base64 and as parameters, and a Host that no field has", () => {
  const bytes = { ...POST, headers: [], postData: { text: "AAE=", encoding: "base64" } };
  expect(readHar(har(bytes), "x.har", undefined)).toMatchObject({
    body: Buffer.from([0, 1]),
    headers: [["Host", "api.example.com"]],
  });
  const form = { ...POST, postData: { params: [{ name: "a b", value: "c&d" }] } };
  expect(new TextDecoder().decode(readHar(har(form), "x.har", 1).body)).toBe("a+b=c%26d");
});

it.each([
  ["{", undefined, "`x.har` is no JSON"],
  ["{}", undefined, "`x.har` is no HTTP archive"],
  [har(POST, POST), undefined, "`x.har` has 2 entries"],
  [har(POST), 2, "has 1 entries, and none with number 2"],
  [har({}), 1, "has no request with method and URL"],
])("refuses %j, entry %j", (text, entry, message) => {
  expect(() => readHar(text, "x.har", entry)).toThrow(message);
});
