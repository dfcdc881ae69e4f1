import { describe, expect, it } from "vitest";
import { Commons } from "./commons.js";
import { PolicyLifetime } from "./lifetime.js";

class Memory {
  readonly kind = "memory";
}
class Other {
  readonly kind = "other";
}

const make = (): Memory => new Memory();

describe("what policies have in common", () => {
  it("is one for all that take it under one name, while one of them lives", async () => {
    const commons = new Commons();
    const lives = [new PolicyLifetime(), new PolicyLifetime(), new PolicyLifetime()] as const;
    const first = commons.take("a", Memory, make, lives[0]);
    expect(commons.take("a", Memory, make, lives[1])).toBe(first);
    expect(commons.take("b", Memory, make, lives[1])).not.toBe(first);
    await lives[0].end();
    expect(commons.take("a", Memory, make, lives[2])).toBe(first);
    await lives[1].end();
    await lives[2].end();
    expect(commons.take("a", Memory, make, new PolicyLifetime())).not.toBe(first);
  });

  it("taken by one that is over already is not kept", async () => {
    const commons = new Commons();
    const over = new PolicyLifetime();
    await over.end();
    const first = commons.take("a", Memory, make, over);
    expect(commons.take("a", Memory, make, new PolicyLifetime())).not.toBe(first);
  });

  it("is never of another kind than was asked for, and the end of one takes nothing of the other", async () => {
    const commons = new Commons();
    const life = new PolicyLifetime();
    commons.take("a", Memory, make, life);
    const other = commons.take("a", Other, () => new Other(), new PolicyLifetime());
    expect(other.kind).toBe("other");
    await life.end();
    expect(commons.take("a", Other, () => new Other(), new PolicyLifetime())).toBe(other);
  });
});
