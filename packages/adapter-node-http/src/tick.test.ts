import { AsyncLocalStorage } from "node:async_hooks";
import { expect, it } from "vitest";
import { keepTick } from "./tick.js";

it("what is kept of a tick holds nothing of where it was made", async () => {
  const storage = new AsyncLocalStorage<object>();
  const request = { secret: "s3cret" };
  const tick = await new Promise<object>((resolve) => storage.run(request, () => keepTick(resolve)));
  const held = Object.getOwnPropertySymbols(tick).map((key) => Reflect.get(tick, key) as unknown);
  expect(held).not.toContain(request);
  expect(held.filter((value) => typeof value === "object")).toEqual([]);
});

it("and storage goes on as ever", async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen = await storage.run("here", async () => {
    await new Promise<object>((resolve) => keepTick(resolve));
    return storage.getStore();
  });
  expect([seen, storage.getStore()]).toEqual(["here", undefined]);
});
