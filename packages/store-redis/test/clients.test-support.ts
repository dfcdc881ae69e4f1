/** Every client library that the store is for, as a driver of one server or of a cluster. */
import { createClient, createCluster } from "@redis/client";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis5";
import { Cluster as ValkeyCluster, Redis as Valkey } from "iovalkey";
import { createClient as createClient5, createCluster as createCluster5 } from "redis-client5";
import { ioredisDriver, nodeRedisDriver, type RedisDriver } from "@gatehouse/redis";

const HOST = "127.0.0.1";
const lazy = { lazyConnect: true, host: HOST } as const;

export const clients: Readonly<Record<string, (port: number) => RedisDriver>> = {
  "ioredis 6": (port) => ioredisDriver(new Redis({ ...lazy, port })),
  "ioredis 5": (port) => ioredisDriver(new Redis5({ ...lazy, port })),
  iovalkey: (port) => ioredisDriver(new Valkey({ ...lazy, port })),
  "node-redis 6": (port) => nodeRedisDriver(createClient({ url: `redis://${HOST}:${port}` })),
  "node-redis 5": (port) => nodeRedisDriver(createClient5({ url: `redis://${HOST}:${port}` })),
};

export const clusterClients: Readonly<Record<string, (ports: readonly number[]) => RedisDriver>> = {
  "ioredis 6": (ports) => ioredisDriver(new Cluster(nodesOf(ports), { lazyConnect: true })),
  "ioredis 5": (ports) => ioredisDriver(new Cluster5(nodesOf(ports), { lazyConnect: true })),
  iovalkey: (ports) => ioredisDriver(new ValkeyCluster(nodesOf(ports), { lazyConnect: true })),
  "node-redis 6": (ports) => nodeRedisDriver(createCluster({ rootNodes: rootsOf(ports) })),
  "node-redis 5": (ports) => nodeRedisDriver(createCluster5({ rootNodes: rootsOf(ports) })),
};

function nodesOf(ports: readonly number[]): { host: string; port: number }[] {
  return ports.map((port) => ({ host: HOST, port }));
}

function rootsOf(ports: readonly number[]): { url: string }[] {
  return ports.map((port) => ({ url: `redis://${HOST}:${port}` }));
}
