import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Noise } from "../workloads/noise.ts";
import { run, wordOf } from "./files.ts";

const FILE_BYTES_MAX = 128 * 1024;
const FILES_OF_A_DIRECTORY = 256;

/** A tree of files that cannot be compressed, of 1 byte to 128 KiB. */
export class NoiseTree implements Disposable {
  readonly #folder: string;
  readonly #files: number;

  constructor(folder: string, bytes: number) {
    this.#folder = folder;
    this.#files = Math.max(1, Math.floor(bytes / (FILE_BYTES_MAX / 2)));
    mkdirSync(folder);
    for (let index = 0; index < this.#files; index += 1) this.#write(index, "old");
  }

  /** Some files get other content of another length, evenly spread. Returns their names. */
  change(changed: number): string[] {
    const names: string[] = [];
    for (let index = 0; index < this.#files; index += Math.round(1 / changed)) names.push(this.#write(index, "new"));
    return names;
  }

  /** In the order of the names. */
  pack(tar: string): void {
    run("tar", ["--sort=name", "-cf", tar, "-C", this.#folder, "."]);
  }

  makeImage(image: string, bytes: number): void {
    writeFileSync(image, "", { flag: "wx" });
    truncateSync(image, bytes);
    run("mkfs.ext4", ["-q", "-F", "-d", this.#folder, image]);
  }

  changeImage(image: string, changed: number): void {
    const commands = this.change(changed).flatMap((name) => [
      `rm /${name}`,
      `write ${join(this.#folder, name)} /${name}`,
    ]);
    runDebugfs(image, commands);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(index: number, version: string): string {
    const directory = String(Math.floor(index / FILES_OF_A_DIRECTORY));
    const path = join(this.#folder, directory);
    if (!existsSync(path)) mkdirSync(path);
    const noise = new Noise(`${version} ${index}`);
    const name = join(directory, String(index));
    writeFileSync(join(this.#folder, name), noise.take(1 + (wordOf(noise) % FILE_BYTES_MAX)));
    return name;
  }
}

/** Its exit status is 0 whatever happens: what it says beyond its version is a failure. */
function runDebugfs(image: string, commands: readonly string[]): void {
  const input = `${commands.join("\n")}\n`;
  const { stderr, error } = spawnSync("debugfs", ["-w", "-f", "-", image], { encoding: "utf8", input });
  const said = (stderr ?? "").split("\n").filter((line) => line !== "" && !/^debugfs \d/.test(line));
  if (error !== undefined || said.length > 0) throw new Error(`debugfs failed: ${error?.message ?? said.join("; ")}`);
}
