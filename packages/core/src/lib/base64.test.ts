import { fc, test } from "@fast-check/vitest";
import { expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "./base64.js";

test.prop([fc.uint8Array({ maxLength: 100 })])("writes and reads what Node does", (bytes) => {
  const text = Buffer.from(bytes).toString("base64");
  expect(encodeBase64(bytes)).toBe(text);
  expect(decodeBase64(text)).toEqual(bytes);
});

it.each(["YQ", "YQ=", "YR==", "YQ==\n", " YQ==", "Y-==", "YWI", "YQ===", "=YQ="])("refuses %j", (text) => {
  expect(decodeBase64(text)).toBeUndefined();
});
