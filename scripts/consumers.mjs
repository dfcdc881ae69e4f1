// Packs what would be published, installs it where nothing of this repository is at hand, and is its user:
// import, require, TypeScript, a lean start, and a bundle for browsers and workers. A green suite on sources
// says nothing about a missing file, a wrong `exports` entry, or a `node:` import that a bundler drags in.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { packAll } from "./lib/pack.mjs";

const root = new URL("..", import.meta.url).pathname;
const temp = mkdtempSync(join(tmpdir(), "gatehouse-consumer-"));
const heavy = ["jsdom", "dompurify", "parse5", "ajv", "ajv-formats", "jose"];
/** Loaded by the first policy that needs them. */
const late = ["re2js", "structured-headers", "@humanwhocodes/momoa"];
const failures = [];

const npm = (args, cwd) =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const packageOf = (path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/)?.[1];

async function prove(name, work) {
  try {
    await work();
    console.log(`✔ ${name}`);
  } catch (error) {
    failures.push(name);
    console.error(`✘ ${name}\n${error.stdout ?? ""}${error.stderr ?? ""}${error.message}`);
  }
}

/** Paths that a fresh process loads for this code. */
function pathsLoadedBy(code) {
  const log = join(temp, `loaded-${Math.random().toString(36).slice(2)}.txt`);
  writeFileSync(log, "");
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--import", "./hook.mjs", "--input-type=module", "--eval", code],
    { cwd: temp, encoding: "utf8", env: { ...process.env, GATEHOUSE_LOADED: log } },
  );
  if (status !== 0) throw new Error(stderr);
  return readFileSync(log, "utf8").split("\n");
}

/** Packages among those above that a fresh process loads for this code. */
function loadedBy(code) {
  const loaded = new Set(pathsLoadedBy(code).map(packageOf));
  if (!loaded.has("@gatehouse/core") && !code.includes("control")) throw new Error("the hook saw nothing");
  return [...heavy, ...late].filter((name) => loaded.has(name));
}

/** The modules that are there as soon as the entry is: static imports, followed through. */
function staticClosure(outputs, entry) {
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path) || outputs[path] === undefined) return;
    seen.add(path);
    for (const { path: next, kind, external } of outputs[path].imports) {
      if (!external && kind !== "dynamic-import") visit(next);
    }
  };
  visit(entry);
  return [...seen].flatMap((path) => Object.keys(outputs[path].inputs));
}

/** Optional peers that are at home in browsers too: loaded where they are asked for, and missed there. jsdom is none of them. */
const ANYWHERE = new Set(["@opentelemetry/api"]);

async function bundle(conditions) {
  const { metafile } = await build({
    stdin: {
      contents: 'export * from "@gatehouse/core"; export * from "@gatehouse/fetch";',
      resolveDir: temp,
      sourcefile: "entry.js",
    },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    conditions,
    outdir: join(temp, `out-${conditions.join("-")}`),
    external: ["node:*", ...builtinModules],
    metafile: true,
    logLevel: "silent",
    absWorkingDir: temp,
  });
  mkdirSync(join(root, "reports"), { recursive: true });
  writeFileSync(join(root, `reports/bundle-${conditions.join("-")}.json`), JSON.stringify(metafile));
  const isLeft = ({ external, path, kind }) => external && !(kind === "dynamic-import" && ANYWHERE.has(path));
  const reached = Object.entries({ ...metafile.inputs, ...metafile.outputs }).flatMap(([path, { imports }]) =>
    imports.filter(isLeft).map((found) => `${path} imports ${found.path}`),
  );
  if (reached.length > 0) throw new Error(`left to the platform:\n${reached.join("\n")}`);
  const platform = Object.keys(metafile.inputs).filter((path) =>
    path.includes("@gatehouse/core/dist/platform/node"),
  );
  if (platform.length > 0)
    throw new Error(`Node's half of the platform is in the bundle: ${platform.join(", ")}`);
  const entry = Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint !== undefined);
  const early = new Set(staticClosure(metafile.outputs, entry).map(packageOf));
  const found = heavy.filter((name) => early.has(name));
  if (found.length > 0) throw new Error(`loaded with the first byte: ${found.join(", ")}`);
}

function typecheck(file, compilerOptions) {
  const config = join(temp, `tsconfig.${file}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      compilerOptions: {
        target: "es2022",
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
        ...compilerOptions,
      },
      files: [file],
    }),
  );
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", config], { cwd: temp, stdio: "pipe" });
}

try {
  const tarballs = packAll(temp).map(({ folder, tarball, paths }) => {
    const stray = paths.filter((path) => /\.test(-support)?\.|tsbuildinfo|(^|\/)src\//.test(path));
    const absent = ["LICENSE", "README.md", "package.json"].filter((path) => !paths.includes(path));
    if (absent.length > 0) throw new Error(`${folder}: not in the tarball: ${absent.join(", ")}`);
    if (stray.length > 0) throw new Error(`${folder}: not for publishing: ${stray.join(", ")}`);
    return tarball;
  });
  const nodeTypes = JSON.parse(
    readFileSync(join(root, "node_modules/@types/node/package.json"), "utf8"),
  ).version;
  writeFileSync(
    join(temp, "package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module" }),
  );
  npm(["install", "--no-audit", "--no-fund", ...tarballs, `@types/node@${nodeTypes}`], temp);
  cpSync(join(root, "tests/consumers"), temp, { recursive: true });
  cpSync(join(root, "tests/smoke"), temp, { recursive: true });

  await prove("import, require() and a decision from the tarballs", () => {
    execFileSync(process.execPath, ["--test", "smoke.test.mjs", "adapters.test.mjs"], {
      cwd: temp,
      stdio: "pipe",
    });
  });
  await prove("a stranger's adapter runs the published cases", () => {
    const { status, stdout } = spawnSync(process.execPath, ["--test", "conformance.test.mjs"], {
      cwd: temp,
      encoding: "utf8",
    });
    // A suite that defines no case would pass as well.
    const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1] ?? 0);
    if (status !== 0 || passed < 50) throw new Error(`${passed} passed\n${stdout}`);
  });
  await prove("the README's sample serves as it is written there", () => {
    execFileSync(process.execPath, ["readme.mjs", join(root, "README.md")], { cwd: temp, stdio: "pipe" });
  });
  await prove("the loader hook sees what is loaded (control)", () => {
    const found = loadedBy('/* control */ await import("ajv/dist/2020.js");');
    if (!found.includes("ajv")) throw new Error(`it saw ${found.join(", ") || "nothing"}`);
  });
  await prove(`${late.join(", ")} are loaded when a policy needs them`, () => {
    const found = loadedBy(readFileSync(join(temp, "libraries.mjs"), "utf8"));
    if (!late.every((name) => found.includes(name))) throw new Error(`loaded: ${found.join(", ")}`);
  });
  await prove(`${late.join(", ")} are seen by tools that gather the files of a deployment`, () => {
    const core = join(temp, "node_modules/@gatehouse/core/dist/platform/node-libraries.js");
    const source = readFileSync(core, "utf8");
    // What such a tool understands of a file: one binding that `createRequire` made, called with a name written out.
    if (!/\bconst require\s*=\s*createRequire\(import\.meta\.url\)/.test(source))
      throw new Error("nothing is called `require`");
    const seen = new Set([...source.matchAll(/\brequire\(["'`]([^"'`]+)["'`]\)/g)].map(([, name]) => name));
    if (seen.size !== late.length || !late.every((name) => seen.has(name)))
      throw new Error(`seen: ${[...seen].join(", ")}`);
  });
  // By import alone: Node 20 shows no hook what require() of an ES module loads, and the graph is the same.
  for (const code of [
    'await import("@gatehouse/core");',
    'await import("@gatehouse/core"); await import("@gatehouse/node-http");',
    'await import("@gatehouse/core"); await import("@gatehouse/fetch");',
  ]) {
    await prove(`${[...heavy, ...late].join(", ")} stay unloaded: ${code}`, () => {
      const found = loadedBy(code);
      if (found.length > 0) throw new Error(`loaded: ${found.join(", ")}`);
    });
  }
  // Each is found, opened, read and linked at every start. Which they are is a matter of how the build cuts them: see rolldown.config.ts.
  await prove("a start loads five files of the core", () => {
    const paths = pathsLoadedBy('await import("@gatehouse/core");');
    const files = new Set(paths.filter((path) => packageOf(path) === "@gatehouse/core"));
    if (files.size !== 5) throw new Error([...files].join("\n"));
  });
  for (const format of ["esm", "cjs"]) {
    await prove(`a server bundled into one file, ${format}, carries what a policy may need`, async () => {
      const alone = mkdtempSync(join(tmpdir(), "gatehouse-bundled-"));
      try {
        const outfile = join(alone, format === "esm" ? "server.mjs" : "server.cjs");
        await build({
          entryPoints: [join(temp, "libraries.mjs")],
          bundle: true,
          format,
          platform: "node",
          outfile,
          logLevel: "silent",
          absWorkingDir: temp,
        });
        execFileSync(process.execPath, [outfile], { cwd: alone, stdio: "pipe" });
      } finally {
        rmSync(alone, { recursive: true, force: true });
      }
    });
  }
  await prove("a server bundled without the condition `module` says so when it is loaded", async () => {
    const alone = mkdtempSync(join(tmpdir(), "gatehouse-bundled-"));
    try {
      for (const format of ["esm", "cjs"]) {
        const outfile = join(alone, format === "esm" ? "server.mjs" : "server.cjs");
        await build({
          // Of a package that is imported and not used, nothing is in a bundle.
          stdin: {
            contents: 'import { createEngine } from "@gatehouse/core"; console.log(typeof createEngine);',
            resolveDir: temp,
          },
          bundle: true,
          format,
          platform: "node",
          conditions: ["own"],
          outfile,
          logLevel: "silent",
          absWorkingDir: temp,
        });
        const { stdout, stderr } = spawnSync(process.execPath, [outfile], { cwd: alone, encoding: "utf8" });
        if (stdout !== "" || !stderr.includes("with the condition `module`"))
          throw new Error(stdout + stderr);
      }
    } finally {
      rmSync(alone, { recursive: true, force: true });
    }
  });
  await prove("npx gatehouse init && npx gatehouse check && npx gatehouse test, in an empty folder", () => {
    const empty = join(temp, "empty");
    mkdirSync(empty);
    const command = "gatehouse";
    const gatehouse = (...args) =>
      execFileSync("npx", ["--no-install", command, ...args], {
        cwd: empty,
        encoding: "utf8",
        stdio: "pipe",
      });
    gatehouse("init");
    gatehouse("check", "--deny-warnings");
    gatehouse("audit");
    gatehouse("test");
    gatehouse("openapi");
    const api =
      "openapi: 3.1.0\ninfo: { title: t, version: '1' }\npaths: { /a: { get: { responses: {} } } }\n";
    writeFileSync(join(empty, "api.yaml"), api);
    gatehouse("init", "--from-openapi", "api.yaml", "--force");
    gatehouse("check");
  });
  await prove("sanitizing HTML without the peers says what to install", () => {
    execFileSync(process.execPath, ["sanitize.mjs", "missing"], { cwd: temp, stdio: "pipe" });
  });
  // Packages see nothing there but what they declare, as under pnpm.
  const strict = join(temp, "strict");
  mkdirSync(strict);
  writeFileSync(
    join(strict, "package.json"),
    JSON.stringify({ name: "strict", private: true, type: "module" }),
  );
  cpSync(join(root, "tests/consumers/sanitize.mjs"), join(strict, "sanitize.mjs"));
  const core = tarballs.find((path) => path.includes("gatehouse-core-"));
  const peers = ["jsdom", "dompurify"].map(
    (name) =>
      `${name}@${JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version}`,
  );
  npm(["install", "--install-strategy=linked", "--no-audit", "--no-fund", core, ...peers], strict);
  await prove("sanitizing HTML where packages see only what they declare", () => {
    execFileSync(process.execPath, ["sanitize.mjs"], { cwd: strict, stdio: "pipe" });
  });
  await prove("sanitizing HTML in a server that was bundled into one file", async () => {
    await build({
      entryPoints: [join(strict, "sanitize.mjs")],
      bundle: true,
      format: "esm",
      platform: "node",
      outfile: join(strict, "bundled.mjs"),
      banner: {
        js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
      },
      logLevel: "silent",
      absWorkingDir: strict,
    });
    execFileSync(process.execPath, ["bundled.mjs"], { cwd: strict, stdio: "pipe" });
  });
  for (const conditions of [["browser"], ["worker"], ["workerd", "worker", "browser"]]) {
    await prove(`bundle for ${conditions.join(" + ")} reaches no Node module`, () => bundle(conditions));
  }
  await prove("TypeScript, ES module, nodenext", () =>
    typecheck("esm.ts", { module: "nodenext", lib: ["es2023"], types: ["node"] }),
  );
  await prove("TypeScript, CommonJS, nodenext", () =>
    typecheck("cjs.cts", { module: "nodenext", lib: ["es2023"], types: ["node"] }),
  );
  await prove("TypeScript for a browser, without Node's types", () =>
    typecheck("browser.ts", {
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["es2023", "dom"],
      types: [],
    }),
  );
} catch (error) {
  failures.push("set-up");
  console.error(`${error.stdout ?? ""}${error.stderr ?? ""}${error.stack}`);
} finally {
  if (process.env.GATEHOUSE_KEEP === "1") console.log(`kept: ${temp}`);
  else rmSync(temp, { recursive: true, force: true });
}
process.exit(failures.length > 0 ? 1 : 0);
