/** What leaves this process, seen at its sockets. */
import { Socket } from "node:net";
import { vi } from "vitest";

/** How often something is handed to any socket of this process meanwhile. */
export async function writesDuring(work: () => Promise<unknown>): Promise<number> {
  const spies = (["_write", "_writev"] as const).map((name) => vi.spyOn(Socket.prototype, name));
  try {
    await work();
    return spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
