// Runs before `npm test` and `npm run demo`: a fresh clone is ready after one command. Installs what package-lock.json
// names and builds, each only when needed. Needs no network when there is nothing to install. Plain JavaScript that
// an older Node.js can run, because Node.js 24 itself is one of the things it installs.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { build, isBuilt, ROOT } from "./build.mjs";

const WINDOWS = process.platform === "win32";
const LOCAL_NODE = join(ROOT, "node_modules", "node", "bin", WINDOWS ? "node.exe" : "node");

process.exitCode = prepare();

/** Returns an exit status. */
function prepare() {
  if (!isInstalled()) {
    say("installing what package-lock.json names into node_modules (once, a minute or so) ...");
    const status = install();
    if (status !== 0) return status;
  }
  if (!existsSync(LOCAL_NODE)) {
    say(
      "Node.js 24 is missing in node_modules: npm was told not to run install scripts; run `npm ci --ignore-scripts=false` once",
    );
    return 1;
  }
  if (!isBuilt()) {
    say("building dist ...");
    return build();
  }
  return 0;
}

/** npm writes down what it installed, as its last step. So an install that was interrupted does not count. */
function isInstalled() {
  const wanted = packagesOf("package-lock.json");
  const found = packagesOf(join("node_modules", ".package-lock.json"));
  if (wanted === undefined || found === undefined) return false;
  return Object.keys(wanted).every((path) => {
    const there = found[path];
    if (path === "") return true;
    if (there === undefined) return Boolean(wanted[path].optional || wanted[path].devOptional || wanted[path].peer);
    return there.version === wanted[path].version && there.integrity === wanted[path].integrity;
  });
}

function packagesOf(file) {
  const path = join(ROOT, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : undefined;
}

/**
 * The npm of the machine, not one that runs on the Node.js inside node_modules: `npm ci` deletes that one first.
 * `--loglevel=error` because the machine's Node.js may be older than our `engines` say, which does not matter here.
 */
function install() {
  const inside = join(ROOT, "node_modules");
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(inside));
  const options = ["--no-audit", "--no-fund", "--loglevel=error", "--include=dev"];
  const run = spawnSync("npm", ["ci", ...options], {
    cwd: ROOT,
    env: { ...process.env, PATH: path.join(delimiter) },
    stdio: "inherit",
    shell: WINDOWS,
  });
  if (run.error) say(`npm could not be started: ${run.error.message}`);
  else if (run.status !== 0) say("`npm ci` failed, see above: run the same command again when its cause is mended");
  return run.status ?? 1;
}

function say(text) {
  process.stdout.write(`fanfold: ${text}\n`);
}
