// One schema from the document's skeleton and the fragments in the kinds' folders.
//
// Keywords of our own, for what JSON Schema has no word for; none of them reaches the editors' schema:
//   extends          takes over the properties of another definition (and is `extends` in TypeScript)
//   tsType           the type, where the generator cannot say it
//   expected         what belongs here, in words, for diagnostics
//   sensitive        what an author wrote here is nobody's business: no diagnostic repeats it
//   holdsSecret      the same, and a text that does not fit is taken for the secret itself

/** Maps over every schema below `node`, children first. */
export function mapSchema(node, change) {
  if (typeof node !== "object" || node === null) return node;
  const copy = { ...node };
  for (const key of ["items", "additionalProperties", "propertyNames", "not", "if", "then", "else"]) {
    if (key in copy) copy[key] = mapSchema(copy[key], change);
  }
  for (const key of ["anyOf", "allOf"])
    if (key in copy) copy[key] = copy[key].map((one) => mapSchema(one, change));
  for (const key of ["properties", "$defs"]) {
    if (!(key in copy)) continue;
    copy[key] = Object.fromEntries(
      Object.entries(copy[key]).map(([name, one]) => [name, mapSchema(one, change)]),
    );
  }
  return change(copy);
}

export const definitionOf = (schema, ref) => schema.$defs[ref.replace("#/$defs/", "")];

export function assemble(document, fragments) {
  const $defs = { ...document.$defs };
  for (const [path, fragment] of fragments) {
    for (const [name, definition] of Object.entries(fragment.$defs)) {
      if (name in $defs) throw new Error(`${path} defines ${name} a second time`);
      $defs[name] = definition;
    }
  }
  const language = {
    ...document,
    $defs: Object.fromEntries(Object.entries($defs).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  verify(language);
  return language;
}

/** Every reference leads somewhere, and every property says what it is: the descriptions are the reference. */
function verify(language) {
  mapSchema(language, (node) => {
    for (const { $ref } of [node, node.extends ?? {}]) {
      if ($ref !== undefined && definitionOf(language, $ref) === undefined)
        throw new Error(`${$ref} leads nowhere`);
    }
    for (const [name, property] of Object.entries(node.properties ?? {})) {
      const described =
        property.description ?? (property.$ref && definitionOf(language, property.$ref).description);
      if (!described) throw new Error(`property ${name} has no description`);
    }
    return node;
  });
}

/** Properties that `extends` brings are written out, nearest last, so that an own property wins. */
export function withoutExtends(language) {
  return mapSchema(language, ({ extends: parent, ...node }) => {
    if (parent === undefined) return node;
    return { ...node, properties: { ...definitionOf(language, parent.$ref).properties, ...node.properties } };
  });
}
