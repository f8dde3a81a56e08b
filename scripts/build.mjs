// `npm run build`: compiles src to dist and removes what earlier builds left there. Plain JavaScript, because it also
// runs under an older Node.js (see prepare.mjs).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STAMP = join(ROOT, "dist", ".stamp");
const COMPILED = /^(.+)\.ts$/;

/** True when dist was built from exactly the sources and settings that stand here now. */
export function isBuilt() {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === fingerprint();
}

/** Compiles in place, so that a program that runs from dist meanwhile does not lose its files. Returns an exit status. */
export function build() {
  rmSync(STAMP, { force: true });
  const before = fingerprint();
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const run = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: ROOT, stdio: "inherit" });
  if (run.status !== 0) return run.status ?? 1;
  const wanted = copyAssets();
  for (const name of filesUnder("dist")) if (!wanted.has(name)) rmSync(join(ROOT, "dist", name));
  writeFileSync(STAMP, before);
  return 0;
}

/** Copies what the compiler leaves alone (the page's HTML, styles, pictures); returns every file that dist should hold. */
function copyAssets() {
  const wanted = new Set();
  for (const name of filesUnder("src")) {
    const stem = COMPILED.exec(name)?.[1];
    if (stem !== undefined) {
      for (const suffix of [".js", ".js.map", ".d.ts"]) wanted.add(stem + suffix);
      continue;
    }
    wanted.add(name);
    const target = join(ROOT, "dist", name);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(ROOT, "src", name), target);
  }
  return wanted;
}

/** By content and not by time: a checkout sets times as it likes. */
function fingerprint() {
  const hash = createHash("sha256");
  const settings = ["tsconfig.json", "tsconfig.build.json", "package.json", "package-lock.json", "scripts/build.mjs"];
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
