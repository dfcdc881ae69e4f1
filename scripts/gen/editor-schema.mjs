// `policy.schema.json`: plain JSON Schema 2020-12 with a description on every property.
import { mapSchema, withoutExtends } from "./assemble.mjs";

const OWN = ["tsType", "expected", "sensitive", "holdsSecret", "reservedValues", "reservedPattern"];

export function editorSchema(language) {
  const plain = mapSchema(withoutExtends(language), (node) => {
    const rest = Object.fromEntries(Object.entries(node).filter(([key]) => !OWN.includes(key)));
    const { reserved, ...kept } = rest;
    if (reserved === undefined) return kept;
    return {
      ...kept,
      description: `${kept.description} A policy that writes it is refused: not-supported-yet.`,
    };
  });
  return dropUnreachable(plain);
}

/** A definition that was only extended is no definition of its own any more. */
function dropUnreachable(schema) {
  const reached = new Set();
  const follow = (node) =>
    mapSchema(node, (one) => {
      const name = one.$ref?.replace("#/$defs/", "");
      if (name !== undefined && !reached.has(name)) {
        reached.add(name);
        follow(schema.$defs[name]);
      }
      return one;
    });
  follow({ ...schema, $defs: {} });
  return {
    ...schema,
    $defs: Object.fromEntries(Object.entries(schema.$defs).filter(([name]) => reached.has(name))),
  };
}
