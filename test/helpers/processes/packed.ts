import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export interface Packed {
  /** A folder whose programs find the package, as after `npm install`. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly unpackedBytes: number;
}

/** What `npm pack` makes of the build that is there, beside the packages that it needs. */
export function packProject(folder: string): Packed {
  const output = runToItsEnd("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], ROOT);
  const [{ filename, files, unpackedSize }] = JSON.parse(output) as [
    { filename: string; files: readonly { path: string }[]; unpackedSize: number },
  ];
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "fanfold"), { recursive: true });
  runToItsEnd("tar", ["-xzf", filename, "-C", join(modules, "fanfold"), "--strip-components=1"], folder);
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    dependencies: Readonly<Record<string, string>>;
  };
  for (const name of [...Object.keys(dependencies), "@types/node", "@types/ws"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  return { folder, files: files.map(({ path }) => path), unpackedBytes: unpackedSize };
}

/** Gives what it printed. */
export function runToItsEnd(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}${stdout}`);
  return stdout;
}
