/**
 * node-redis 5 and 6 (`redis`, `@redis/client`): one client, Cluster, or (6) Sentinel. The caller's client is only the pattern. No
 * `socketTimeout`: it closes a client for good, also one that is merely idle.
 */
import type { RedisConnection, RedisDriver } from "../driver.js";
import { CONNECT_TIMEOUT_MS, reconnectDelay } from "../retry.js";

/** A whole client, as its library makes it. */
export type NodeRedisLike = object;

type Send = (key: string, command: readonly string[]) => Promise<unknown>;

/** What all three kinds have. */
interface Client {
  readonly isReady?: boolean;
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  destroy(): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
}

interface Duplicable {
  duplicate(settings: object): Client;
}

type Kind = "client" | "cluster" | "sentinel";

const OWN = {
  disableOfflineQueue: true,
  // What is too much for the caller's own client says nothing of how much a deadline lets wait here.
  commandsQueueMaxLength: undefined,
  commandOptions: {},
  pingInterval: 1000,
  keyPrefix: undefined,
} as const;

/**
 * @param client made by `createClient`, `createCluster` or `createSentinel`: a connection like it is opened, and it is itself left alone
 * @throws TypeError where it is none
 */
export function nodeRedisDriver(client: NodeRedisLike): RedisDriver {
  const kind = kindOf(client);
  if (kind === "sentinel" && !isDuplicable(client)) {
    throw new TypeError(
      "`nodeRedisDriver` cannot open another client like this one: for Sentinel it needs node-redis 6",
    );
  }
  if (kind === undefined || !isDuplicable(client)) {
    throw new TypeError(
      "`nodeRedisDriver` needs a client of node-redis: what `createClient`, `createCluster` or `createSentinel` made",
    );
  }
  return {
    cluster: kind === "cluster",
    open: () => new Connection(kind, (more) => open(client, kind, more)),
  };
}

function kindOf(client: object): Kind | undefined {
  if (!("sendCommand" in client) || typeof client.sendCommand !== "function") return undefined;
  if ("nodeClient" in client && "masters" in client) return "cluster";
  return "getSentinelNode" in client ? "sentinel" : "client";
}

function isDuplicable(client: object): client is Duplicable {
  return "duplicate" in client && typeof client.duplicate === "function";
}

function open(pattern: Duplicable, kind: Kind, more: object = {}): Client {
  const options = memberOf(pattern, "options") ?? memberOf(pattern, "_options");
  switch (kind) {
    case "client":
      return pattern.duplicate({ ...OWN, socket: socketOf(options) });
    case "cluster": {
      const node = memberOf(options, "defaults");
      const defaults = { ...node, ...OWN, socket: socketOf(node) };
      return pattern.duplicate({ defaults, maxCommandRedirections: 4, commandOptions: {}, ...more });
    }
    case "sentinel":
      // It would send what a lost connection left open again, up to this often. How its nodes are reached nobody else can read.
      return pattern.duplicate({ maxCommandRediscovers: 0, commandOptions: {} });
  }
}

function socketOf(settings: object | undefined): object {
  const own = {
    reconnectStrategy: reconnectDelay,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: undefined,
  };
  return { ...memberOf(settings, "socket"), ...own };
}

function memberOf(owner: object | undefined, name: string): object | undefined {
  const member: unknown = owner === undefined ? undefined : Reflect.get(owner, name);
  return typeof member === "object" && member !== null ? member : undefined;
}

/** How long another client may take to learn, and how long the old one has for what is in flight. */
const REFRESH_MS = 700;
const OLD_MS = 2000;
/** And for its ways to the nodes; one that does not answer is not waited for. */
const WARM_MS = 100;

class Connection implements RedisConnection {
  readonly #kind: Kind;
  readonly #open: (more?: object) => Client;
  #client: Client;
  #send: Send;
  #attempt = 0;
  #over = false;
  #connected = false;
  #other: Client | undefined;

  constructor(kind: Kind, open: (more?: object) => Client) {
    this.#kind = kind;
    this.#open = open;
    this.#client = open();
    this.#send = senderOf(this.#client, kind);
    this.#connect();
  }

  isReady(): boolean {
    // A cluster of version 5 does not tell: that its topology is known has to do.
    return this.#connected && (this.#client.isReady ?? this.#client.isOpen);
  }

  evalsha(sha1: string, keys: readonly string[], values: readonly string[]): Promise<unknown> {
    return this.#send(keys[0] ?? "", ["EVALSHA", sha1, String(keys.length), ...keys, ...values]);
  }

  eval(text: string, keys: readonly string[], values: readonly string[]): Promise<unknown> {
    return this.#send(keys[0] ?? "", ["EVAL", text, String(keys.length), ...keys, ...values]);
  }

  nodeOf(slot: number): string {
    const slots: unknown = Reflect.get(this.#client, "slots");
    const shard: unknown = Array.isArray(slots) ? slots[slot] : undefined;
    const master = typeof shard === "object" && shard !== null ? memberOf(shard, "master") : undefined;
    const address: unknown = master === undefined ? undefined : Reflect.get(master, "address");
    return typeof address === "string" ? address : "";
  }

  /**
   * This library learns that a slot has moved from the node that had it alone: from one that is dead, never. Another client learns it
   * from the others, and takes the place of this one when it has.
   */
  refresh(): void {
    if (this.#other !== undefined) return;
    const other = this.#open({ minimizeConnections: true });
    this.#other = other;
    other.on("error", () => undefined);
    const given = setTimeout(() => this.#drop(other), REFRESH_MS);
    const ready = async (): Promise<void> => {
      await other.connect();
      await warm(other);
    };
    ready().then(
      () => {
        clearTimeout(given);
        if (this.#other !== other) return;
        this.#other = undefined;
        const old = this.#client;
        this.#client = other;
        this.#connected = true;
        this.#send = senderOf(other, this.#kind);
        setTimeout(() => end(old), OLD_MS).unref();
      },
      () => {
        clearTimeout(given);
        this.#drop(other);
      },
    );
  }

  /** Another client has ways of its own to all nodes. */
  renew(): boolean {
    this.refresh();
    return true;
  }

  destroy(): void {
    this.#over = true;
    if (this.#other !== undefined) this.#drop(this.#other);
    end(this.#client);
  }

  #drop(other: Client): void {
    if (this.#other !== other) return;
    this.#other = undefined;
    end(other);
  }

  /** A cluster or Sentinel whose first nodes are away gives up: another one is made of the same pattern. */
  #connect(): void {
    const client = this.#client;
    client.on("error", () => undefined);
    client.connect().then(
      () => void (this.#connected = true),
      () => this.#again(client),
    );
  }

  #again(failed: Client): void {
    end(failed);
    // Another one may have come in its place.
    if (this.#over || failed !== this.#client) return;
    const timer = setTimeout(
      () => {
        if (this.#over) return;
        this.#client = this.#open();
        this.#send = senderOf(this.#client, this.#kind);
        this.#connect();
      },
      reconnectDelay(this.#attempt++),
    );
    timer.unref();
  }
}

function senderOf(client: Client, kind: Kind): Send {
  const send: unknown = Reflect.get(client, "sendCommand");
  if (typeof send !== "function") throw new TypeError("the client cannot send commands");
  const call = (...values: readonly unknown[]): Promise<unknown> =>
    Promise.resolve(Reflect.apply(send, client, values));
  if (kind === "cluster") return (key, command) => call(key, false, command);
  if (kind === "sentinel") return (_key, command) => call(false, command);
  return (_key, command) => call(command);
}

/** It would connect to each node when that is first asked for something, and who asks would wait for it. */
async function warm(cluster: Client): Promise<void> {
  const nodeClient: unknown = Reflect.get(cluster, "nodeClient");
  const masters: unknown = Reflect.get(cluster, "masters");
  if (typeof nodeClient !== "function" || !Array.isArray(masters)) return;
  const connected = masters.map(async (master: unknown) => {
    try {
      await Reflect.apply(nodeClient, cluster, [master]);
    } catch {
      // Whoever asks it hears of it.
    }
  });
  await Promise.race([Promise.all(connected), new Promise((resolve) => setTimeout(resolve, WARM_MS))]);
}

function end(client: Client): void {
  try {
    const ended: unknown = client.destroy();
    if (ended instanceof Promise) ended.catch(() => undefined);
  } catch {
    // It was not open.
  }
}
