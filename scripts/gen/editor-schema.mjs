// `policy.schema.json`: plain JSON Schema 2020-12 with a description on every property.
import { mapSchema, withoutExtends } from "./assemble.mjs";

const OWN = ["tsType", "expected", "sensitive", "holdsSecret"];

export function editorSchema(language) {
  const plain = mapSchema(withoutExtends(language), (node) => {
    return Object.fromEntries(Object.entries(node).filter(([key]) => !OWN.includes(key)));
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
