/** All that a store asks of a server, and the user of the guide who may do that and no more. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { StateStore } from "@gatehouse/core";
import { bucket, context, quota, slot, take, window } from "./world.test-support.js";

/** Every kind of question that a store asks. */
export async function askAll(store: StateStore): Promise<void> {
  const penalty = { after: 1, blockUs: 1000, factor: 2, maxUs: 5000 };
  const ops = [
    bucket("a:t:1", 5),
    { ...window("b:s:1", 1), penalty },
    quota("c:c:1", 5, (Date.now() + 60_000) * 1000),
    slot("d:l:1", 2, "holder"),
  ];
  const first = await take(store, ...ops);
  expect(first.allowed).toBe(true);
  if (first.token === undefined) throw new Error("nothing was taken");
  expect((await take(store, ...ops)).allowed).toBe(false);
  expect(await store.peek("limits", ops, context())).toMatchObject({ allowed: false });
  expect(await store.renew("limits", first.token, context())).toBe(true);
  await store.settle("limits", first.token, [-1, undefined, 1, -1], context());
  const leased = { ...bucket("e:t:1", 400), precision: "leased" } as const;
  expect((await take(store, leased)).allowed).toBe(true);
  expect(await store.once("jti", 1_000_000, context())).toBe(true);
  await store.set("value", Uint8Array.of(1), 1_000_000, context());
  expect(await store.get("value", context())).toEqual(Uint8Array.of(1));
  await store.del("value", context());
  await store.log?.append("gone", Uint8Array.of(2), 1_000_000, context());
  expect((await store.log?.read("gone", undefined, context()))?.entries).toEqual([Uint8Array.of(2)]);
}

/** The line of the guide, so that what is tested is what is advised. */
export function advised(user: string, password: string, prefix: string): readonly string[] {
  const line = /^ACL SETUSER .*$/m.exec(guide())?.[0];
  if (line === undefined) throw new Error("the guide advises no user");
  const words = line.replace("~gatehouse:*", `~${prefix}*`).replace(">PASSWORD", `>${password}`).split(" ");
  return words.map((word) => (word === "gatehouse" ? user : word));
}

/** What the guide adds for a cluster. */
export function advisedOnCluster(): readonly string[] {
  const more = /On a cluster also `([^`]+)`/.exec(guide())?.[1];
  if (more === undefined) throw new Error("the guide advises nothing for a cluster");
  return more.split(" ");
}

function guide(): string {
  return readFileSync(new URL("../../../docs/stores.md", import.meta.url), "utf8");
}
