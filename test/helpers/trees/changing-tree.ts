import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { SeededRandom } from "../seeded-random.ts";
import { content } from "./tree.ts";

const isRoot = process.getuid?.() === 0;

/** A directory that changes in ways that people change theirs. Each step depends on the seed alone. */
export class ChangingTree {
  readonly #root: string;
  readonly #random: SeededRandom;
  #made = 0;

  constructor(root: string, random: SeededRandom) {
    this.#root = root;
    this.#random = random;
    mkdirSync(root, { recursive: true });
    for (let each = 0; each < 5; each += 1) mkdirSync(join(root, `d${each}`));
    for (let each = 0; each < 40; each += 1) this.#add();
  }

  /** So many changes. */
  change(steps: number): void {
    const ways = [
      ...[this.#add, this.#edit, this.#edit, this.#remove, this.#rename, this.#setMode, this.#setTime],
      ...[this.#link, this.#link, this.#split, this.#join, this.#symlink, this.#swapKind, this.#replaceEqually],
      ...[this.#addDirectory, this.#removeDirectory, this.#renameDirectory, this.#restoreOld, this.#editInPlace],
      ...(isRoot ? [this.#setOwner] : []),
    ];
    for (let step = 0; step < steps; step += 1) this.#random.pick(ways).call(this);
  }

  #add(): void {
    writeFileSync(this.#freeName(), this.#content());
  }

  /** As editors do: written aside, and renamed. */
  #edit(): void {
    this.#withFile((path) => {
      const aside = `${path}~`;
      writeFileSync(aside, this.#content());
      renameSync(aside, path);
    });
  }

  /** All names of the file get it. */
  #editInPlace(): void {
    this.#withFile((path) => writeFileSync(path, this.#content()));
  }

  #remove(): void {
    this.#withFile((path) => rmSync(path));
  }

  #rename(): void {
    this.#withFile((path) => renameSync(path, this.#freeName()));
  }

  #setMode(): void {
    this.#withFile((path) => chmodSync(path, this.#random.pick([0o600, 0o644, 0o755, 0o444, 0o4755])));
  }

  #setOwner(): void {
    this.#withFile((path) => {
      const { mode } = lstatSync(path);
      chownSync(path, this.#random.between(1, 3), this.#random.between(1, 3));
      // The system takes setuid away from a file that gets another owner.
      chmodSync(path, mode & 0o7777);
    });
  }

  #setTime(): void {
    this.#withFile((path) => utimesSync(path, this.#random.between(1, 2 ** 30), this.#random.between(1, 2 ** 30)));
  }

  #restoreOld(): void {
    this.#withFile((path) => {
      const { mtimeNs } = lstatSync(path, { bigint: true });
      // What a restored backup looks like: other content, and the times of before.
      writeFileSync(path, this.#content());
      utimesSync(path, new Date(), new Date(Number(mtimeNs / 1_000_000n)));
    });
  }

  #link(): void {
    this.#withFile((path) => linkSync(path, this.#freeName()));
  }

  /** Another file with the same content and time. */
  #split(): void {
    const linked = this.#files().filter((path) => lstatSync(path).nlink > 1);
    this.#withFile((path) => {
      const { mtimeNs, mode } = lstatSync(path, { bigint: true });
      const aside = `${path}~`;
      copyFileSync(path, aside);
      chmodSync(aside, Number(mode) & 0o7777);
      const seconds = Number(mtimeNs) / 1e9;
      utimesSync(aside, seconds, seconds);
      renameSync(aside, path);
    }, linked);
  }

  /** Two files become one. */
  #join(): void {
    this.#withFile((one) =>
      this.#withFile((other) => {
        if (one === other) return;
        rmSync(other);
        linkSync(one, other);
      }),
    );
  }

  #symlink(): void {
    const path = this.#freeName();
    symlinkSync(this.#random.pick(["nowhere", "../d1", "."]), path);
    lutimesSync(path, 1, this.#random.between(1, 2 ** 30));
  }

  /** A file becomes a directory, or the other way round. */
  #swapKind(): void {
    if (this.#random.chance(0.5))
      this.#withFile((path) => {
        rmSync(path);
        mkdirSync(path);
        writeFileSync(join(path, "inside"), this.#content());
      });
    else {
      const path = this.#random.pick(this.#directories());
      rmSync(path, { recursive: true });
      writeFileSync(path, this.#content());
      this.#addDirectory();
    }
  }

  /** The same content, written anew with another time. */
  #replaceEqually(): void {
    this.#withFile((path) => {
      const bytes = readFileSync(path);
      rmSync(path);
      writeFileSync(path, bytes);
    });
  }

  #addDirectory(): void {
    const path = this.#freeName();
    mkdirSync(path, { mode: this.#random.pick([0o755, 0o700, 0o555]) });
  }

  #removeDirectory(): void {
    const directories = this.#directories();
    if (directories.length > 3) rmSync(this.#random.pick(directories), { recursive: true });
  }

  #renameDirectory(): void {
    const path = this.#random.pick(this.#directories());
    renameSync(path, join(this.#root, `renamed${this.#next()}`));
  }

  #withFile(work: (path: string) => void, files = this.#files()): void {
    if (files.length > 0) work(this.#random.pick(files));
  }

  #files(): string[] {
    return this.#entries().filter((path) => lstatSync(path).isFile());
  }

  #directories(): string[] {
    const found = this.#entries().filter((path) => lstatSync(path).isDirectory());
    if (found.length > 0) return found;
    const path = join(this.#root, `d${this.#next()}`);
    mkdirSync(path);
    return [path];
  }

  #entries(directory = this.#root): string[] {
    const found = readdirSync(directory, { withFileTypes: true }).sort((one, other) =>
      one.name < other.name ? -1 : 1,
    );
    return found.flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? [path, ...this.#entries(path)] : [path];
    });
  }

  #freeName(): string {
    const directory = this.#random.chance(0.2) ? this.#root : this.#random.pick(this.#directories());
    return join(directory, `n${this.#next()}`);
  }

  #next(): number {
    this.#made += 1;
    return this.#made;
  }

  #content(): Buffer {
    const bytes = this.#random.chance(0.05) ? this.#random.between(100_000, 400_000) : this.#random.between(0, 3000);
    return content(bytes, this.#random.between(0, 2 ** 30));
  }
}
