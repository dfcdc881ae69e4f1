/** Who may be asked. */
import { expect, it } from "vitest";
import { isLoopback, placeOf, type Lookup } from "./place.js";

it("asks this machine without being told", async () => {
  expect(await placeOf("http://127.0.0.1:8080", [])).toEqual({
    https: false,
    name: "127.0.0.1",
    addresses: ["127.0.0.1"],
    port: 8080,
    authority: "127.0.0.1:8080",
  });
  expect(await placeOf("https://[::1]/", [], "api.test")).toMatchObject({
    https: true,
    addresses: ["::1"],
    port: 443,
    authority: "api.test",
  });
  const { addresses } = await placeOf("http://localhost", []);
  expect(addresses.length).toBeGreaterThan(0);
  expect(addresses.filter((address) => !isLoopback(address))).toEqual([]);
});

it("asks this machine at each of its addresses, and at none where one leads elsewhere", async () => {
  const at =
    (...addresses: readonly string[]): Lookup =>
    () =>
      Promise.resolve(addresses);
  const asked = (find: Lookup, allowed: readonly string[] = []): Promise<unknown> =>
    placeOf("http://localhost:8080", allowed, undefined, find);
  expect(await asked(at("::1", "127.0.0.1", "::1"))).toMatchObject({ addresses: ["::1", "127.0.0.1"] });
  for (const addresses of [["127.0.0.1", "192.0.2.1"], ["192.0.2.1", "::1"], ["192.0.2.1"]])
    await expect(asked(at(...addresses))).rejects.toThrow("`localhost` is not this machine");
  expect(await asked(at("127.0.0.1", "192.0.2.1"), ["localhost"])).toMatchObject({
    addresses: ["127.0.0.1", "192.0.2.1"],
  });
  await expect(asked(at())).rejects.toThrow("`localhost` has no address");
});

it("asks another only where it is named, exactly", async () => {
  const problem = "`192.0.2.1` is not this machine";
  await expect(placeOf("http://192.0.2.1", [])).rejects.toThrow(problem);
  await expect(placeOf("http://192.0.2.1", ["192.0.2.10", "localhost", "0.2.1"])).rejects.toThrow(problem);
  await expect(placeOf("http://2130706434", [])).resolves.toMatchObject({ addresses: ["127.0.0.2"] });
  await expect(placeOf("http://0.0.0.0", [])).rejects.toThrow("`0.0.0.0` is not this machine");
  // Looked up, it would have no address.
  await expect(placeOf("https://api.invalid", ["localhost"])).rejects.toThrow(
    "`api.invalid` is not this machine",
  );
  await expect(placeOf("https://api.invalid", ["API.invalid"])).rejects.toThrow(
    "`api.invalid` has no address",
  );
  await expect(placeOf("http://localhost.api.invalid", [])).rejects.toThrow("is not this machine");
  expect(await placeOf("http://192.0.2.1", ["192.0.2.1"])).toMatchObject({
    addresses: ["192.0.2.1"],
    port: 80,
  });
});

it.each([
  ["localhost:8080", "only `http:` and `https:` are asked"],
  ["not a url", "the first operand is no URL"],
  ["ftp://localhost", "only `http:` and `https:` are asked"],
  ["http://ann:secret@localhost", "a URL with a password in it would end up in logs"],
  ["http://localhost/api", "the URL leads to a path, and the paths that are asked for are the policy's"],
])("refuses %s", async (url, problem) => {
  await expect(placeOf(url, [])).rejects.toThrow(problem);
});
