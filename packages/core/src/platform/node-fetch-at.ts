/**
 * A call of plain HTTP to addresses that were looked at: `fetch` looks a name up again, and whoever answers for names may say something else
 * the second time. Loaded when it is first needed, as the name service is.
 */
import { request, type IncomingMessage } from "node:http";
import { isIPv6, type LookupFunction } from "node:net";

/** The part of `fetch` that is asked for here. No content coding is offered, and no redirect followed. */
export function fetchAt(
  addresses: readonly string[],
  url: string,
  { method = "GET", headers, body, signal }: RequestInit,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fields = Object.fromEntries(new Headers(headers));
    const sent = request(
      url,
      // Each over a connection of its own: none stands in a pool that others fill.
      { agent: false, method, headers: fields, lookup: leadingTo(addresses), signal: signal ?? undefined },
      (message) => {
        try {
          resolve(answerOf(message));
        } catch (error) {
          message.destroy();
          reject(error instanceof Error ? error : new Error("the answer is none of HTTP"));
        }
      },
    );
    sent.on("error", reject);
    // A change to another protocol ends it without an error, and without an answer.
    sent.on("close", () => reject(new Error("the connection ended")));
    sent.end(typeof body === "string" ? body : undefined);
  });
}

function leadingTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (name, options, told) => {
    const [first] = all;
    if (first === undefined)
      told(Object.assign(new Error(`no address of ${name}`), { code: "ENOTFOUND" }), "");
    else if (options.all === true) told(null, all);
    else told(null, first.address, first.family);
  };
}

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function answerOf(message: IncomingMessage): Response {
  const { statusCode: status = 0, rawHeaders } = message;
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  if (!WITHOUT_BODY.has(status)) return new Response(contentOf(message), { status, headers });
  message.resume();
  return new Response(null, { status, headers });
}

function contentOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  let wanted = true;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      message.on("data", (chunk: Uint8Array) => {
        if (!wanted) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) message.pause();
      });
      message.on("end", () => {
        if (wanted) controller.close();
      });
      message.on("error", (error) => controller.error(error));
    },
    pull: () => void message.resume(),
    cancel: () => {
      // What had come by then, and its end, are still told, and a stream that is over throws at both: in a listener nobody would catch it.
      wanted = false;
      message.destroy();
    },
  });
}
