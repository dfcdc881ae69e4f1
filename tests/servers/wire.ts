/** Policies of tests, and connections that say exactly what a test says. */
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { PolicyDocument } from "@gatehouse/core";
import { parseAnswer, type WireAnswer } from "@gatehouse/core/conformance";

/** Called last first, however the test ends. By the test and not by a hook of this file: a worker loads it once for many files of tests. */
export function later(cleanup: () => Promise<void> | void): void {
  onTestFinished(cleanup);
}

/** A policy of open routes; what is not the point of a test is off. */
export function policyOf(routes: Record<string, object>, rest: Partial<PolicyDocument> = {}): PolicyDocument {
  return {
    gatehouse: 1,
    name: "test",
    transport: { https: "off" },
    ...rest,
    routes: Object.fromEntries(
      Object.entries(routes).map(([key, route]) => [key, { authenticate: "none", ...route }]),
    ),
  };
}

/** One connection, read answer by answer. */
export class Wire {
  private received: Buffer = Buffer.alloc(0);
  private changed: (() => void)[] = [];
  ended = false;
  /** A reset, or a write into a closed connection. */
  readonly errors: string[] = [];

  private constructor(readonly socket: Socket) {
    socket.on("data", (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.wake();
    });
    socket.on("error", (error) => void this.errors.push(error.message));
    socket.on("close", () => {
      this.ended = true;
      this.wake();
    });
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect(port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    later(() => void socket.destroy());
    return new Wire(socket);
  }

  /** Everything received so far. */
  get text(): string {
    return this.received.toString("latin1");
  }

  send(text: string | Uint8Array): this {
    this.socket.write(text);
    return this;
  }

  /** @throws Error when the connection ends before a whole answer */
  async answer(method = "GET"): Promise<WireAnswer> {
    for (;;) {
      const answer = parseAnswer(this.received, method, this.ended);
      if (answer !== undefined) {
        this.received = answer.rest;
        return answer;
      }
      if (this.ended) throw new Error(`the connection ended after \`${this.text}\``);
      await this.change();
    }
  }

  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      if (this.ended) throw new Error(`the connection ended after \`${this.text}\``);
      await this.change();
    }
  }

  async closed(): Promise<void> {
    while (!this.ended) await this.change();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.changed.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.changed.splice(0)) resolve();
  }
}

/** One request, one answer, on a connection of its own. */
export async function ask(
  { port }: { readonly port: number },
  head: string,
  body: string | Uint8Array = "",
): Promise<WireAnswer & { readonly text: string; header(name: string): string | undefined }> {
  const wire = await Wire.open(port);
  wire.send(`${head.trim().replaceAll("\n", "\r\n")}\r\nHost: a.test\r\n\r\n`);
  if (body.length > 0) wire.send(body);
  return readable(await wire.answer(head.trim().split(" ")[0]));
}

export function readable(answer: WireAnswer): WireAnswer & {
  readonly text: string;
  header(name: string): string | undefined;
} {
  return {
    ...answer,
    text: answer.body.toString("utf8"),
    header: (name) => {
      const values = answer.headers.filter(([field]) => field.toLowerCase() === name.toLowerCase());
      return values.length === 0 ? undefined : values.map(([, value]) => value).join(", ");
    },
  };
}
