// Load from a process other than the server's: so many connections, each with one request under way. It writes bytes that
// were prepared and reads no more of an answer than its status and length, so that it is never what holds a server up.
import { once } from "node:events";
import { connect } from "node:net";

export async function openLoad(port, connections) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => opened(port)));
  return {
    run: (requests, count, status) => run(sockets, requests, count, status),
    close: () => sockets.forEach((socket) => socket.destroy()),
  };
}

async function opened(port) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

/** @returns seconds in all, and the sorted milliseconds of each answer */
async function run(sockets, requests, count, status) {
  const took = [];
  let asked = 0;
  const started = performance.now();
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve, reject) => {
          let sent;
          const next = () => {
            if (asked >= count) return done(resolve);
            sent = performance.now();
            socket.write(requests[asked++ % requests.length]);
          };
          const done = (settle, value) => {
            socket.off("data", hear).off("close", gone);
            settle(value);
          };
          const gone = () => done(reject, new Error("the server hung up"));
          const hear = answers(
            status,
            () => {
              took.push(performance.now() - sent);
              next();
            },
            (error) => done(reject, error),
          );
          socket.on("data", hear).on("close", gone);
          if (socket.destroyed) return gone();
          next();
        }),
    ),
  );
  return { seconds: (performance.now() - started) / 1000, took: took.sort((a, b) => a - b) };
}

function answers(status, whole, fail) {
  const line = `HTTP/1.1 ${status} `;
  let head = "";
  let missing = 0;
  return (chunk) => {
    if (missing > 0) {
      missing -= chunk.length;
      if (missing === 0) whole();
      return;
    }
    head += chunk.latin1Slice();
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head.slice(0, end + 2));
    if (!head.startsWith(line) || length === null)
      return fail(new Error(`not a ${status} with a length: ${head.slice(0, 200)}`));
    missing = end + 4 + Number(length[1]) - head.length;
    head = "";
    if (missing === 0) whole();
  };
}

/** The bytes of one request. */
export function requestOf(method, path, headers, body = "") {
  const length = body === "" ? [] : [["Content-Length", Buffer.byteLength(body)]];
  const fields = [["Host", "a.test"], ...headers, ...length].map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${fields.join("")}\r\n${body}`);
}
