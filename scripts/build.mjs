// `npm run build`: makes dist of src, modules (bundle.mjs), the web page (bundle-web.mjs) and types, and removes what earlier builds left there. Plain
// JavaScript, because it also runs under an older Node.js (see prepare.mjs).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STAMP = join(ROOT, "dist", ".stamp");
/** Of the programs, of the web page, and of the man pages. Each prints what it made in dist. */
const MAKERS = ["scripts/bundle.mjs", "scripts/bundle-web.mjs", "scripts/man.ts"];
const MAN_SOURCES = ["help-text", "man-pages", "roff"].map((name) => join("scripts", "docs", `${name}.ts`));
const COMPILED = /^(.+)\.ts$/;

/** True when dist was built from exactly the sources and settings that stand here now. */
export function isBuilt() {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === fingerprint();
}

/** Writes over what is there, so that a program that runs from dist meanwhile does not lose its files. Returns an exit status. */
export function build() {
  rmSync(STAMP, { force: true });
  const before = fingerprint();
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const types = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: ROOT, stdio: "inherit" });
  if (types.status !== 0) return types.status ?? 1;
  const wanted = new Set();
  for (const name of MAKERS) {
    const modules = spawnSync(newestNode(), [join(ROOT, name)], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
      encoding: "utf8",
    });
    if (modules.status !== 0) return modules.status ?? 1;
    for (const made of modules.stdout.split("\n")) wanted.add(join(made));
  }
  for (const name of filesUnder("src")) wanted.add(name.replace(COMPILED, "$1.d.ts"));
  for (const name of filesUnder("dist")) if (!wanted.has(name)) rmSync(join(ROOT, "dist", name));
  writeFileSync(STAMP, before);
  return 0;
}

/** The one that comes with the packages, where their scripts may run. Where they may not, Node.js 24 runs this. */
function newestNode() {
  const own = join(ROOT, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  return existsSync(own) ? own : process.execPath;
}

/** By content and not by time: a checkout sets times as it likes. */
function fingerprint() {
  const hash = createHash("sha256");
  const settings = [
    "tsconfig.json",
    "tsconfig.build.json",
    "package.json",
    "package-lock.json",
    "scripts/build.mjs",
    "scripts/bundle-threads.ts",
    ...MAKERS,
    ...MAN_SOURCES,
  ];
  for (const name of [...settings, ...filesUnder("src").map((file) => join("src", file))]) {
    const content = readFileSync(join(ROOT, name));
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** Paths relative to `folder`, sorted. */
function filesUnder(folder, below = "") {
  const names = [];
  for (const entry of readdirSync(join(ROOT, folder, below), { withFileTypes: true })) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) names.push(...filesUnder(folder, name));
    else names.push(name);
  }
  return names.sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = build();
