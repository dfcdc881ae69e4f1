/** Raw targets close to a path: other spellings of it, and paths beside it. */

/** Each changes one thing; what the policy makes of it is for a property to say. */
export function nearTargets(path: string): readonly string[] {
  const segments = path.split("/").slice(1);
  const last = segments.at(-1) ?? "";
  const front = segments
    .slice(0, -1)
    .map((segment) => `/${segment}`)
    .join("");
  return [
    `${path}/`,
    `/${path}`,
    path.replaceAll("/", "//"),
    `/.${path}`,
    `${front}/./${last}`,
    `/x/..${path}`,
    `/x/%2e%2e${path}`,
    `${front}%2f${last}`,
    `${front}\\${last}`,
    `${path};x=1`,
    `${front}/${encodedFirst(last)}`,
    `/${encodedFirst(path.slice(1))}`,
    `${path}%00`,
    `${path}%20`,
    `${path}%252f`,
    `${path}/extra`,
    front === "" ? "/" : front,
    path.toUpperCase(),
    `${path}?`,
    `${path}#x`,
    `https://api.test${path}`,
    `https://evil.invalid${path}`,
  ];
}

function encodedFirst(text: string): string {
  const code = text.charCodeAt(0);
  return Number.isNaN(code) || text.startsWith("%")
    ? text
    : `%${code.toString(16).padStart(2, "0")}${text.slice(1)}`;
}
