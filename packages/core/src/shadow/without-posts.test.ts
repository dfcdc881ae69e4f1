import { expect, it } from "vitest";
import type { OutwardRequest } from "../ports/outward.js";
import { withoutPosts } from "./without-posts.js";

it("fetches keys, and asks nobody about a credential", async () => {
  const asked: OutwardRequest[] = [];
  const lacked: string[] = [];
  const call = withoutPosts(
    (request) => {
      asked.push(request);
      return Promise.resolve({ kind: "failure", reason: "asked" });
    },
    (what) => void lacked.push(what),
  );
  const url = "https://id.test/introspect?key=c4n4ry";
  expect(await call({ url, maxBytes: 1, method: "POST", body: "token=c4n4ry" })).toMatchObject({
    reason: "nobody is asked about a credential twice",
  });
  expect(await call({ url, maxBytes: 1 })).toMatchObject({ reason: "asked" });
  expect(asked).toHaveLength(1);
  expect(lacked).toEqual(["`https://id.test/introspect`"]);
});
