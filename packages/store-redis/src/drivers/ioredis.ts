/**
 * ioredis 5 and 6, and iovalkey: one client, Sentinel, or Cluster. The caller's client is only the pattern: its settings are those of
 * a request that can wait, and would hold every request of ours while the server is away.
 */
import type { RedisConnection, RedisDriver } from "../driver.js";
import { CONNECT_TIMEOUT_MS, reconnectDelay } from "../retry.js";
import { slotOf } from "../slots.js";
import { Corks } from "./cork.js";

/** What is used of `Redis` and `Cluster`, of any version. */
export interface IoredisClient {
  readonly status: string;
  readonly isCluster?: boolean;
  /** The socket, once there is one; a cluster has none, but its nodes do. */
  readonly stream?: unknown;
  evalsha(sha1: string, keyCount: number, ...rest: string[]): Promise<unknown>;
  eval(text: string, keyCount: number, ...rest: string[]): Promise<unknown>;
  on(event: "error" | "+node" | "-node", listener: (told: unknown) => void): unknown;
  disconnect(): void;
}

/** A whole client, as its library makes it. */
export type IoredisLike = object;

interface Duplicable {
  readonly isCluster?: boolean;
  duplicate(...settings: readonly unknown[]): IoredisClient;
}

const OWN_NODE = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  lazyConnect: false,
  readOnly: false,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: 100,
  commandTimeout: undefined,
  socketTimeout: undefined,
  reconnectOnError: null,
  keyPrefix: "",
  stringNumbers: false,
} as const;

/** A node of a cluster is found again by its cluster, not by itself. */
const OWN = { ...OWN_NODE, retryStrategy: reconnectDelay, sentinelRetryStrategy: reconnectDelay } as const;

/** Zero delays: a command whose connection was lost is not sent again, and one that cannot be answered fails while that is of use. */
const OWN_CLUSTER = {
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  lazyConnect: false,
  scaleReads: "master",
  maxRedirections: 4,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 20,
  retryDelayOnMoved: 0,
  slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
  clusterRetryStrategy: reconnectDelay,
  keyPrefix: "",
} as const;

/**
 * @param client a `Redis` or `Cluster` of ioredis or iovalkey: a connection like it is opened, and it is itself left alone
 * @throws TypeError where it is none
 */
export function ioredisDriver(client: IoredisLike): RedisDriver {
  if (!isDuplicable(client)) {
    throw new TypeError("`ioredisDriver` needs a client of ioredis or iovalkey: a `Redis` or a `Cluster`");
  }
  const cluster = client.isCluster === true;
  return {
    cluster,
    open: () =>
      cluster
        ? connectionOf(client.duplicate([], { ...OWN_CLUSTER, redisOptions: OWN_NODE }))
        : connectionOf(client.duplicate(OWN)),
  };
}

function isDuplicable(client: object): client is Duplicable {
  return (
    "duplicate" in client &&
    typeof client.duplicate === "function" &&
    "defineCommand" in client &&
    typeof client.defineCommand === "function"
  );
}

function connectionOf(client: IoredisClient): RedisConnection {
  // Told by `isReady` and by calls that fail; unheard, it would end the process.
  client.on("error", () => undefined);
  const corks = new Corks();
  const nodeFor = client.isCluster === true ? nodesOf(client) : () => client;
  const hold = ([key]: readonly string[]): void => {
    const node = key === undefined ? undefined : nodeFor(slotOf(key));
    if (node !== undefined && "stream" in node) corks.hold(node.stream);
  };
  return {
    isReady: () => client.status === "ready",
    evalsha: (sha1, keys, values) => {
      hold(keys);
      return client.evalsha(sha1, keys.length, ...keys, ...values);
    },
    eval: (text, keys, values) => {
      hold(keys);
      return client.eval(text, keys.length, ...keys, ...values);
    },
    nodeOf: (slot) => nodeOf(client, slot),
    // The cluster makes another client for the node when it is next asked for something.
    renew: (slot) => {
      const node = nodeFor(slot);
      const disconnect: unknown = node === undefined ? undefined : Reflect.get(node, "disconnect");
      if (typeof disconnect !== "function") return false;
      Reflect.apply(disconnect, node, []);
      return true;
    },
    destroy: () => client.disconnect(),
  };
}

/** A cluster tells of each client that it makes for a node. One whose name its slots do not use is written to as ever. */
function nodesOf(cluster: IoredisClient): (slot: number) => object | undefined {
  const nodes = new Map<string, object>();
  cluster.on("+node", (node) => {
    if (typeof node === "object" && node !== null) nodes.set(nameOf(node), node);
  });
  cluster.on("-node", (node) => {
    if (typeof node === "object" && node !== null && nodes.get(nameOf(node)) === node)
      nodes.delete(nameOf(node));
  });
  return (slot) => nodes.get(nodeOf(cluster, slot));
}

function nameOf(node: object): string {
  const options: unknown = "options" in node ? node.options : undefined;
  if (typeof options !== "object" || options === null || !("host" in options) || !("port" in options))
    return "";
  return `${String(options.host)}:${String(options.port)}`;
}

/** `slots` lists the nodes of each slot, its master first. */
function nodeOf(client: IoredisClient, slot: number): string {
  const slots: unknown = "slots" in client ? client.slots : undefined;
  const nodes: unknown = Array.isArray(slots) ? slots[slot] : undefined;
  const master: unknown = Array.isArray(nodes) ? nodes[0] : undefined;
  return typeof master === "string" ? master : "";
}
