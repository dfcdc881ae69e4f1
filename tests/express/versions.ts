/** Both versions of express, by one type: what tests use of them is the same. */
import express5, { type Express } from "express";
import { createRequire } from "node:module";

type Factory = typeof express5;

const express4 = createRequire(import.meta.url)("express4") as Factory;

export const VERSIONS: readonly {
  readonly name: string;
  readonly express: Factory;
  readonly major: 4 | 5;
}[] = [
  { name: "express 5", express: express5, major: 5 },
  { name: "express 4", express: express4, major: 4 },
];

export type { Express, Factory };
