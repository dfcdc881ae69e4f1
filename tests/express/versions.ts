/** Both versions of express, by one type: what tests use of them is the same. */
import express5, { type Express } from "express";
import express4 from "express4";

export type Factory = typeof express5;
export type { Express };

export interface Version {
  readonly name: string;
  readonly major: 4 | 5;
  readonly express: Factory;
}

export const VERSIONS: readonly [Version, Version] = [
  { name: "express 5", major: 5, express: express5 },
  { name: "express 4", major: 4, express: express4 },
];

export function versionOf(major: 4 | 5): Version {
  return major === 5 ? VERSIONS[0] : VERSIONS[1];
}
