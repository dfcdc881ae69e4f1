/** What each preset of `headers` sends, by lower-case name; `remove` takes the handler's field out. */
import { GIVEAWAYS, PRESETS } from "../kinds/headers/presets.js";

export const HEADER_PRESETS: Readonly<Record<"api" | "web", ReadonlyMap<string, string>>> = {
  api: fieldsOf("api"),
  web: fieldsOf("web"),
};

function fieldsOf(preset: "api" | "web"): ReadonlyMap<string, string> {
  return new Map([
    ...PRESETS[preset].map(([name, value]) => [name.toLowerCase(), value] as const),
    ...GIVEAWAYS.map((name) => [name, "remove"] as const),
  ]);
}
