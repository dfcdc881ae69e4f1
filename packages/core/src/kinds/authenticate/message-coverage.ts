/** What a signature must cover before it says anything about a request. What is not covered, whoever carries it can change. */
import type { Component } from "./message-component.js";
import { parseComponent } from "./message-component.js";

export const DEFAULT_COMPONENTS: readonly string[] = ["@method", "@target-uri"];
export const CONTENT_DIGEST = '"content-digest"';

/** Any of these lists says all that the component says. */
const STAND_INS: ReadonlyMap<string, readonly (readonly string[])[]> = new Map([
  [
    '"@target-uri"',
    [['"@target-uri"'], ['"@authority"', '"@path"', '"@query"'], ['"@authority"', '"@request-target"']],
  ],
  ['"@authority"', [['"@authority"'], ['"@target-uri"']]],
  ['"@path"', [['"@path"'], ['"@target-uri"'], ['"@request-target"']]],
  ['"@query"', [['"@query"'], ['"@target-uri"'], ['"@request-target"']]],
  ['"@scheme"', [['"@scheme"'], ['"@target-uri"']]],
]);

export function coverageTest(written: readonly string[]): (components: readonly Component[]) => boolean {
  const required = written.flatMap((text) => parseComponent(text)?.id ?? []);
  return (components) => {
    const covered = new Set(components.map(({ id }) => id));
    return required.every((id) =>
      (STAND_INS.get(id) ?? [[id]]).some((list) => list.every((one) => covered.has(one))),
    );
  };
}
