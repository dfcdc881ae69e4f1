/** Cross-checks of webhooks: a form that says everything, says it once, and can be read in one way. */
import type { Report } from "../../errors/diagnostics.js";
import { pointerTo } from "../../lib/pointer.js";
import type { WebhookSettings } from "../../model/policy.js";
import { FORM_KEYS, webhookForm, type WebhookForm } from "../../model/webhook-form.js";
import { checkDuration } from "./check-duration.js";
import { entriesOf, SIGNATURE_NAMES } from "./webhook-format.js";
import { hasNeighbours, namesIn, parseTemplate, textAfter, textBefore } from "./webhook-template.js";

export function checkWebhook(settings: WebhookSettings, pointer: string, report: Report): void {
  if (settings.preset !== undefined) checkPreset(settings, pointer, report);
  else if (checkRequired(settings, pointer, report)) {
    const form = webhookForm(settings);
    checkSigned(form, pointerTo(pointer, "signed"), report);
    checkFormat(form, pointerTo(pointer, "format"), report);
    checkSources(form, pointer, report);
  }
  checkReplay(settings, pointer, report);
  checkConstants(settings, pointer, report);
}

function checkPreset(settings: WebhookSettings, pointer: string, report: Report): void {
  for (const key of FORM_KEYS) {
    if (settings[key] === undefined) continue;
    report.error(
      "useless-key",
      pointerTo(pointer, key),
      `\`${key}\` stands beside \`preset\`, which says it already`,
      "leave one of them out",
    );
  }
}

function checkRequired(settings: WebhookSettings, pointer: string, report: Report): boolean {
  const missing = (["header", "signed"] as const).filter((key) => settings[key] === undefined);
  for (const key of missing) {
    report.error("missing-key", pointer, `\`${key}\` is missing`, `add \`${key}\`, or a \`preset\``);
  }
  return missing.length === 0;
}

const SIGNED_NAMES: readonly string[] = ["time", "id", "body"];

function checkSigned({ signed }: WebhookForm, pointer: string, report: Report): void {
  const wrong = (message: string, help?: string): void =>
    report.error("invalid-template", pointer, message, help);
  const pieces = parseTemplate(signed);
  const names = pieces === undefined ? [] : namesIn(pieces);
  const stranger = names.find((name) => !SIGNED_NAMES.includes(name));
  if (pieces === undefined || stranger !== undefined)
    return wrong("the template cannot be read", "names are `{time}`, `{id}` and `{body}`");
  if (names.filter((name) => name === "body").length !== 1)
    return wrong("the template does not have `{body}` exactly once", "what is not signed is not protected");
  if (new Set(names).size < names.length) return wrong("the template has a name twice");
  if (hasNeighbours(pieces))
    wrong(
      "two names stand side by side",
      "without a text between them one signature stands for many messages",
    );
  const digits = [textAfter(pieces, "time")?.charAt(0), textBefore(pieces, "time")?.slice(-1)];
  if (digits.some((one) => one !== undefined && /[0-9]/u.test(one)))
    wrong("a digit stands beside `{time}`", "nobody could tell where the time ends");
}

function checkFormat({ format, separator }: WebhookForm, pointer: string, report: Report): void {
  const wrong = (message: string, help?: string): void =>
    report.error("invalid-template", pointer, message, help);
  const known = [...SIGNATURE_NAMES, "time", "id"];
  const entries = separator === undefined ? [parseTemplate(format) ?? []] : entriesOf(format, separator);
  const names = entries.flatMap(namesIn);
  if (parseTemplate(format) === undefined || names.some((name) => !known.includes(name)))
    return wrong("the format cannot be read", `names are \`{${known.join("}`, `{")}}\``);
  if (names.filter((name) => SIGNATURE_NAMES.includes(name)).length !== 1)
    return wrong("the format does not have one signature", "write `{hex}`, `{base64}` or `{base64url}` once");
  if (new Set(names).size < names.length) return wrong("the format has a name twice");
  if (entries.some(hasNeighbours)) wrong("two names stand side by side");
  if (separator === undefined) return;
  if (entries.some((entry) => namesIn(entry).length !== 1))
    wrong("an entry of the list does not have one name", "each entry is one text and one name: `v1={hex}`");
  const fronts = entries.map((entry) => textBefore(entry, namesIn(entry)[0] ?? ""));
  if (entries.length > 1 && (fronts.includes(undefined) || new Set(fronts).size < fronts.length))
    wrong("entries of the list cannot be told apart", "each needs a text of its own in front of its name");
}

/** What is signed must come from one place; what comes must be signed, or whoever carries it changes it. */
function checkSources(form: WebhookForm, pointer: string, report: Report): void {
  const signed = namesIn(parseTemplate(form.signed) ?? []);
  const held = namesIn(parseTemplate(form.format) ?? []);
  for (const name of ["time", "id"] as const) {
    const key = name === "time" ? "timeHeader" : "idHeader";
    const header = form[key];
    if (signed.includes(name) && header === undefined && !held.includes(name)) {
      report.error(
        "missing-key",
        pointer,
        `\`${key}\` is missing: \`signed\` has \`{${name}}\`, and nothing says where it comes from`,
        `add \`${key}\`, or \`{${name}}\` to \`format\``,
      );
    }
    if (header !== undefined && held.includes(name)) {
      report.error(
        "useless-key",
        pointerTo(pointer, key),
        `\`${key}\` stands beside \`{${name}}\` in \`format\``,
        "leave one of them out",
      );
    }
    if (!signed.includes(name) && (header !== undefined || held.includes(name))) {
      report.error(
        "unsigned-part",
        header === undefined ? pointerTo(pointer, "format") : pointerTo(pointer, key),
        `\`{${name}}\` is not in \`signed\`: whoever carries the message could change it`,
        `leave it out, or add \`{${name}}\` to \`signed\` where the sender signs it`,
      );
    }
  }
}

function checkReplay(settings: WebhookSettings, pointer: string, report: Report): void {
  for (const key of ["tolerance", "remember"] as const)
    checkDuration(settings[key], "1s", "366d", pointerTo(pointer, key), report);
  const timed = namesIn(parseTemplate(webhookForm(settings).signed) ?? []).includes("time");
  const useless = (key: "tolerance" | "remember", message: string, help: string): void => {
    if (settings[key] !== undefined) report.error("useless-key", pointerTo(pointer, key), message, help);
  };
  if (timed) {
    useless("remember", "`remember` means nothing where a time is signed", "`tolerance` says how long");
    return;
  }
  useless("tolerance", "`tolerance` means nothing where no time is signed", "write `remember`");
  if (settings.replay === "allow")
    useless("remember", '`remember` stands beside `"replay": "allow"`', "leave one of them out");
  if (settings.replay === "refuse" && settings.remember === undefined) {
    report.error(
      "missing-key",
      pointer,
      "`remember` is missing: no time is signed, so nothing says for how long a message is to be remembered",
      "add `remember`: a duration",
    );
  }
}

/** Two senders that share a secret are one. What a message says of its sender is in its body, for conditions to read. */
function checkConstants({ principal }: WebhookSettings, base: string, report: Report): void {
  for (const [field, source] of Object.entries(principal ?? {})) {
    if (typeof source !== "string") continue;
    report.error(
      "invalid-path",
      pointerTo(base, "principal", field),
      "a webhook has no claims that a path could lead into",
      'write a constant: `{ "value": … }`',
    );
  }
}
