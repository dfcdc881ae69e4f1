/** `$ref`: within a document, and to files beside it. Nothing is ever fetched. */
import { pointerTo } from "../lib/pointer.js";
import { isObject, OpenApiError, readSource, textOf, type JsonObject } from "./source.js";

/** A value and where it stands: what relative references in it are relative to. */
export interface Place {
  readonly value: unknown;
  /** Name of the file, as its loader knows it. */
  readonly file: string;
  readonly pointer: string;
}

/** Reads the file that a reference names, relative to the file in which it stands. */
export interface SourceLoader {
  /** @throws OpenApiError where it may not be read, or cannot be */
  load(reference: string, from: string): Promise<{ readonly file: string; readonly text: string }>;
}

const MAX_FILES = 200;
const MAX_TOTAL = 16_777_216;
/** References that lead to references. */
const MAX_HOPS = 64;

/** A document with every file that it reaches, read before anything is resolved. */
export class Documents {
  private constructor(
    readonly root: Place,
    private readonly values: ReadonlyMap<string, unknown>,
    /** `file` and what a reference there names, to the file that it is. */
    private readonly names: ReadonlyMap<string, string>,
  ) {}

  /** @throws OpenApiError */
  static async read(text: string, file: string, loader: SourceLoader): Promise<Documents> {
    const values = new Map<string, unknown>([[file, readSource(text, file)]]);
    const names = new Map<string, string>();
    let total = text.length;
    const queue = [file];
    for (let from = queue.shift(); from !== undefined; from = queue.shift()) {
      for (const reference of filesNamedIn(values.get(from), from)) {
        const found = await loader.load(reference, from);
        names.set(`${from}\n${reference}`, found.file);
        if (values.has(found.file)) continue;
        total += found.text.length;
        if (values.size >= MAX_FILES || total > MAX_TOTAL)
          throw new OpenApiError(
            `the document reaches more than ${MAX_FILES} files, or ${MAX_TOTAL} characters`,
            file,
          );
        values.set(found.file, readSource(found.text, found.file));
        queue.push(found.file);
      }
    }
    return new Documents({ value: values.get(file), file, pointer: "" }, values, names);
  }

  /** Whether any object of any file has this member. */
  mentions(key: string): boolean {
    const look = (value: unknown): boolean =>
      Array.isArray(value)
        ? value.some(look)
        : isObject(value) && (Object.hasOwn(value, key) || Object.values(value).some(look));
    return [...this.values.values()].some(look);
  }

  /** Follows a reference, and what it leads to where that is one too. */
  resolve(place: Place): Place {
    let here = place;
    for (let hops = 0; isObject(here.value); hops++) {
      const reference = textOf(here.value["$ref"]);
      if (reference === undefined) return here;
      if (hops >= MAX_HOPS) throw this.failure(place, `the reference \`${reference}\` leads in a circle`);
      here = this.target(reference, here);
    }
    return here;
  }

  /** One step. */
  target(reference: string, from: Place): Place {
    const [path = "", fragment = ""] = reference.split("#", 2);
    const file = path === "" ? from.file : this.names.get(`${from.file}\n${path}`);
    if (file === undefined) throw this.failure(from, `the reference \`${reference}\` leads to no file`);
    let value = this.values.get(file);
    let pointer = "";
    for (const segment of segmentsOf(fragment) ?? []) {
      value = childOf(value, segment);
      pointer = pointerTo(pointer, segment);
      if (value === undefined) break;
    }
    if (value === undefined || segmentsOf(fragment) === undefined)
      throw this.failure(from, `the reference \`${reference}\` leads to nothing`);
    return { value, file, pointer };
  }

  private failure(place: Place, message: string): OpenApiError {
    return new OpenApiError(`${message} (at ${place.pointer || "/"})`, place.file);
  }
}

export function childPlace(place: Place, ...segments: readonly (string | number)[]): Place {
  const value = segments.reduce<unknown>((inner, segment) => childOf(inner, String(segment)), place.value);
  return { value, file: place.file, pointer: pointerTo(place.pointer, ...segments) };
}

function childOf(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return /^\d+$/u.test(key) ? (value[Number(key)] as unknown) : undefined;
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Undefined for what is no pointer, such as a name: `#Pet`. */
function segmentsOf(fragment: string): readonly string[] | undefined {
  if (fragment === "") return [];
  if (!fragment.startsWith("/")) return undefined;
  try {
    return decodeURIComponent(fragment)
      .slice(1)
      .split("/")
      .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
  } catch {
    return undefined;
  }
}

/** What stands there is data of the API's, not of the description. */
const DATA: ReadonlySet<string> = new Set(["example", "examples", "default", "enum", "const"]);

/** Paths of other files that references name. */
function filesNamedIn(value: unknown, file: string): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (inner: unknown, data: boolean): void => {
    if (Array.isArray(inner)) for (const one of inner) look(one, data);
    if (!isObject(inner)) return;
    const path = data ? undefined : fileOf(inner, file);
    if (path !== undefined) found.add(path);
    // A property may be called `default`: what is data shows in what stands there, a schema or a value.
    for (const [key, one] of Object.entries(inner)) look(one, data || (DATA.has(key) && !isSchemaMap(inner)));
  };
  look(value, false);
  return found;
}

/** Names to schemas: every member is an object or a boolean, and there is no word of a schema's own. */
function isSchemaMap(value: JsonObject): boolean {
  return Object.entries(value).every(([, one]) => isObject(one));
}

function fileOf(node: JsonObject, file: string): string | undefined {
  const reference = textOf(node["$ref"]);
  const path = reference?.split("#", 1)[0] ?? "";
  if (path === "") return undefined;
  if (/^[a-z][a-z0-9+.-]*:|^\/\/|^[/\\]|^[A-Za-z]:/iu.test(path))
    throw new OpenApiError(
      `the reference \`${reference ?? ""}\` leads elsewhere, and nothing is fetched`,
      file,
      "save that document as a file beside this one, and name it by a relative path",
    );
  return path;
}
