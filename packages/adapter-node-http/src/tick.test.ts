import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { expect, it, vi } from "vitest";
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

it("nothing is taken out of another's object where something stands in for nextTick", () => {
  const waiting: (() => void)[] = [];
  const spy = vi.spyOn(process, "nextTick").mockImplementation((callback) => {
    waiting.push(callback as () => void);
  });
  const keep = vi.fn();
  keepTick(keep);
  spy.mockRestore();
  const owner = { owns: "a socket" };
  const held = Symbol("owner");
  const resource = Object.assign(new AsyncResource("another"), { [held]: owner });
  for (const callback of waiting) resource.runInAsyncScope(callback);
  expect([waiting.length, resource[held]]).toEqual([1, owner]);
  expect(keep).not.toHaveBeenCalled();
});
