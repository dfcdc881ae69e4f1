// The tables of keys in docs/policy.md, between `<!-- keys: Definition -->` and `<!-- /keys -->`: the schema's own words, so
// that the reference cannot name another default than editors show.
import { readFile } from "node:fs/promises";
import { format } from "oxfmt";
import { definitionOf } from "./assemble.mjs";

/** As `npm run format` would write them. */
const { printWidth } = JSON.parse(await readFile(new URL("../../.oxfmtrc.json", import.meta.url), "utf8"));

const TABLE = /(<!-- keys: (\w+) -->)[^]*?(<!-- \/keys -->)/g;

/** Definitions whose own name says more than their JSON type. */
const WORDS = {
  Duration: "duration",
  Size: "size",
  Instant: "day or instant",
  HeaderName: "field name",
  ConditionText: "condition",
  JsonSchema: "JSON Schema",
  SecretReference: "secret reference",
  InlinePolicy: "policy",
  TestInstant: "instant",
  TestDuration: "duration",
  Expiry: "duration or instant",
  Pointer: "pointer",
};
const TYPES = {
  null: "null",
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "`true` or `false`",
};

export async function keyTables(language, file, text) {
  const filled = text.replace(TABLE, (_, open, name, close) => {
    const definition = ["Document", language.title].includes(name) ? language : language.$defs[name];
    if (definition?.properties === undefined) throw new Error(`${file} asks for the keys of ${name}`);
    return `${open}\n\n${tableOf(definition, language)}\n\n${close}`;
  });
  const { code, errors } = await format(file, filled, { printWidth });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  return code;
}

function tableOf({ properties, required = [] }, language) {
  const rows = Object.entries(properties).map(([key, property]) => {
    const description = property.description ?? definitionOf(language, property.$ref).description;
    const [meaning, fallback] = apart(description);
    return [
      `\`${key}\``,
      valueOf(property, language),
      required.includes(key) ? "required" : fallback,
      meaning,
    ];
  });
  return [["key", "value", "default", "meaning"], ["---", "---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

/** The sentence that begins with "Default" fills a column of its own. */
function apart(description) {
  const found = /(?:^| )Default:? (.+?)\.(?= |$)/.exec(description);
  return found === null ? [description, ""] : [description.replace(found[0], "").trim(), found[1]];
}

function valueOf(node, language) {
  if (node.$ref !== undefined) {
    const name = node.$ref.replace("#/$defs/", "");
    return WORDS[name] ?? valueOf(definitionOf(language, node.$ref), language);
  }
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${JSON.stringify(value)}\``).join(" or ");
  if (node.anyOf !== undefined)
    return [...new Set(node.anyOf.map((one) => valueOf(one, language)))].join(" or ");
  return TYPES[node.type] ?? (node.type === "array" ? "list" : node.type === undefined ? "any" : "object");
}
