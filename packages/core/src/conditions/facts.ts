/** From a name in an expression to the fact behind it, with a diagnostic where there is none. */
import type { ASTNode } from "./ast.js";
import { didYouMean } from "../errors/did-you-mean.js";
import type { Access, Root } from "./access.js";
import type { Compiler } from "./compiler.js";
import type { Node } from "./node.js";
import { DYN, guardOf } from "./types.js";
import type { CelType } from "./types.js";
import { Failure } from "./values.js";
import type { Run } from "./values.js";

/** Claims whose values are, or lead to, credentials: never shown. */
const SENSITIVE =
  /token|secret|passw|credential|session|assertion|signature|nonce|otp|pin|key|jti|cnf|hash|code/i;

/** What has such a name is told only where its policy asks for it. */
export function isSensitiveName(name: string): boolean {
  return SENSITIVE.test(name);
}

/** The root that a part names, unless a comprehension uses the name for something else. */
export function rootOf(compiler: Compiler, ast: ASTNode): Root | undefined {
  if (ast.op !== "id" || compiler.variables.has(ast.args)) return undefined;
  return compiler.vocabulary.roots.get(ast.args);
}

/** The fact behind `root.name`, with a diagnostic where there is none. */
export function accessOf(compiler: Compiler, root: Root, name: string): Access | undefined {
  if (root.name === "principal" && compiler.vocabulary.scope.principal === "none") {
    return compiler.error(
      "principal-on-open-route",
      `\`principal.${name}\` is read where nobody is known: the route says \`"authenticate": "none"\``,
      "name an authenticator on the route, or take the condition out",
    );
  }
  if (root.name === "headers" && name !== name.toLowerCase()) {
    return compiler.error(
      "unknown-name",
      `\`headers["${name}"]\` can never be read`,
      `header names are lower case here: \`headers["${name.toLowerCase()}"]\``,
    );
  }
  return root.access(name) ?? unknownMember(compiler, root.record.title, root.record.fields, name);
}

function unknownMember(
  compiler: Compiler,
  title: string,
  fields: ReadonlyMap<string, CelType>,
  name: string,
): undefined {
  const known = fields.size === 0 ? "it has none" : `it has ${compiler.namesOf(fields)}`;
  return compiler.error(
    "unknown-name",
    `\`${title}\` has no \`${name}\``,
    didYouMean(name, fields.keys()) ?? known,
  );
}

export function factNamed(
  name: string,
  access: Access,
): { readonly name: string; readonly needs: Access["needs"]; readonly shown: boolean } {
  return { name, needs: access.needs, shown: access.shown && !SENSITIVE.test(name) };
}

/** Absent facts, and facts that are not of their schema's type, are errors of the evaluation. */
export function reading(access: Access, name: string): Run {
  const { get } = access;
  const absent = new Failure(`\`${name}\` is absent`);
  const guard = access.trusted ? undefined : guardOf(access.type);
  if (guard === undefined) {
    return (state) => {
      const value = get(state);
      return value === undefined ? absent : value;
    };
  }
  const wrong = new Failure(`\`${name}\` is not of its schema's type`);
  return (state) => {
    const value = get(state);
    if (value === undefined) return absent;
    return guard(value) ? value : wrong;
  };
}

/** Type of a member of a value; what has none has no such member. */
export function memberType(compiler: Compiler, ast: ASTNode, node: Node, name: string): CelType | undefined {
  const { type } = node;
  if (type.kind === "dyn") return DYN;
  if (type.kind === "map") return type.of;
  if (type.kind !== "record") return compiler.mismatch(ast, [node]);
  const { record } = type;
  return (
    record.fields.get(name) ?? record.others ?? unknownMember(compiler, record.title, record.fields, name)
  );
}

/** Inside claims a scalar may be shown, unless its name says that it is a credential. */
export function deeper(fact: NonNullable<Node["fact"]>, name: string): NonNullable<Node["fact"]> {
  const longer = `${fact.name}.${name}`;
  const shown = (fact.shown || fact.name === "principal.claims") && !SENSITIVE.test(name);
  return { name: longer, needs: fact.needs, shown };
}
