// What is sent to the servers that are measured.
import { orderId, origin, tokenOf } from "../servers/work.mjs";
import { requestOf } from "./load.mjs";

/** Parts of the posture, each of which both sides can do alone. */
export const LAYERS = ["headers", "cors", "limit", "jwt", "body", "response"];

/** @param callers how many, each with a token of its own */
export function requestsBy(callers) {
  const all = Array.from({ length: callers }, (_, n) => tokenOf(`user-${String(n).padStart(5, "0")}`));
  const fields = (token) => [
    ["User-Agent", "bench/1.0"],
    ["Accept", "application/json"],
    ["Accept-Encoding", "gzip, deflate, br"],
    ["Origin", origin],
    ["Authorization", `Bearer ${token}`],
  ];
  const json = [["Content-Type", "application/json"]];
  const body = '{"sku":"LAMP-0007","quantity":2,"note":"ring twice"}';
  return {
    get: { requests: all.map((token) => requestOf("GET", `/orders/${orderId}`, fields(token))), status: 200 },
    post: {
      requests: all.map((token) => requestOf("POST", "/orders", [...fields(token), ...json], body)),
      status: 201,
    },
  };
}
