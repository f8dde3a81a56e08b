import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Noise } from "../workloads/noise.ts";

const MIB = 1024 * 1024;
const PAGE_BYTES = 4096;
/** Share of a file that changes, where nothing else is said. */
const CHANGED = 0.01;
const DUMP_CHANGED = 0.02;
const DUMP_ROW_BYTES = 200;
const DUMP_VALUE_BYTES = 72;
const TREE_CHANGED = 0.05;
const TREE_FILE_BYTES = 64 * 1024;
/** Of the image. */
const IMAGE_FILLED = 0.5;
const INSERTED_BYTES = 100;
const INSERTED_AT = MIB;

/** A file that changed since it was copied. */
export interface Change {
  readonly name: string;
  /** What the change is, for the table. */
  readonly title: string;
  /** Makes what each copy holds, and then what the source has. Folders are there, and empty. */
  readonly make: (folders: { readonly source: string; readonly copies: readonly string[] }, bytes: number) => void;
}

/** In the order of the table. */
export const CHANGES: readonly Change[] = [
  {
    name: "pages",
    title: "1 % of 4 KiB pages overwritten",
    make: ({ source, copies }, bytes) => {
      const file = noise(source, bytes);
      share(source, copies);
      overwrite(file, bytes, 1);
    },
  },
  {
    name: "insert",
    title: "100 bytes inserted near its start",
    make: ({ source, copies }, bytes) => {
      const file = noise(source, bytes);
      share(source, copies);
      const content = readFileSync(file);
      writeFileSync(file, content.subarray(0, INSERTED_AT));
      appendFileSync(file, new Noise("inserted").take(INSERTED_BYTES));
      appendFileSync(file, content.subarray(INSERTED_AT));
    },
  },
  {
    name: "append",
    title: "1 MiB appended",
    make: ({ source, copies }, bytes) => {
      const file = noise(source, bytes);
      share(source, copies);
      appendFileSync(file, new Noise("appended").take(MIB));
    },
  },
  {
    name: "versions",
    title: "1 % of pages, each copy of another older version",
    make: ({ source, copies }, bytes) => {
      const file = noise(source, bytes);
      share(source, copies);
      for (const [index, copy] of copies.entries()) overwrite(join(copy, FILE), bytes, index + 2);
      overwrite(file, bytes, 1);
    },
  },
  {
    name: "dump",
    title: "SQL dump, 2 % of rows changed",
    make: ({ source, copies }, bytes) => {
      const rows = Math.floor(bytes / DUMP_ROW_BYTES);
      dump(join(source, FILE), rows, 0);
      share(source, copies);
      dump(join(source, FILE), rows, DUMP_CHANGED);
    },
  },
  {
    name: "tar",
    title: "tar of a tree, 5 % of files changed",
    make: ({ source, copies }, bytes) => {
      const tree = `${source}.tree`;
      const tar = () => run("tar", ["--sort=name", "-cf", join(source, FILE), "-C", tree, "."]);
      const files = treeOf(tree, bytes);
      tar();
      share(source, copies);
      for (let index = 0; index < files; index += Math.round(1 / TREE_CHANGED)) treeFile(tree, index, "new");
      tar();
      rmSync(tree, { recursive: true });
    },
  },
  {
    name: "image",
    title: "image of an ext4, 1 % of files changed in it",
    make: ({ source, copies }, bytes) => {
      const [tree, image] = [`${source}.tree`, join(source, FILE)];
      const files = treeOf(tree, bytes * IMAGE_FILLED);
      writeFileSync(image, "");
      truncateSync(image, bytes);
      run("mkfs.ext4", ["-q", "-F", "-d", tree, image]);
      share(source, copies);
      for (let index = 0; index < files; index += Math.round(1 / CHANGED)) {
        const inside = `/${Math.floor(index / 256)}/${index}`;
        treeFile(tree, index, "new");
        run("debugfs", ["-w", "-R", `rm ${inside}`, image]);
        run("debugfs", ["-w", "-R", `write ${join(tree, inside)} ${inside}`, image]);
      }
      rmSync(tree, { recursive: true });
    },
  },
];

const FILE = "file";

function noise(folder: string, bytes: number): string {
  const path = join(folder, FILE);
  const content = new Noise("file");
  writeFileSync(path, "");
  for (let at = 0; at < bytes; at += MIB) appendFileSync(path, content.take(Math.min(MIB, bytes - at)));
  return path;
}

function share(source: string, copies: readonly string[]): void {
  for (const copy of copies) cpSync(join(source, FILE), join(copy, FILE), { preserveTimestamps: true });
}

function overwrite(path: string, bytes: number, version: number): void {
  const random = new Noise(`pages of version ${version}`);
  const pages = Math.floor(bytes / PAGE_BYTES);
  const fd = openSync(path, "r+");
  for (let left = Math.round(pages * CHANGED); left > 0; left -= 1)
    writeSync(fd, random.take(PAGE_BYTES), 0, PAGE_BYTES, (wordOf(random) % pages) * PAGE_BYTES);
  closeSync(fd);
}

/** Rows of about the same length. Those that changed are longer or shorter than before. */
function dump(path: string, rows: number, changed: number): void {
  const random = new Noise("rows");
  const changes = new Noise("changed rows");
  const fd = openSync(path, "w");
  let text = "";
  for (let row = 0; row < rows; row += 1) {
    const value = random.take(DUMP_VALUE_BYTES).toString("base64");
    const word = wordOf(changes);
    const note = word < changed * 2 ** 32 ? `changed to ${word}` : "as it was";
    text += `INSERT INTO orders VALUES (${row}, '${value}', 'customer ${row % 997}', '${note}', NULL, '2026-11-29');\n`;
    if (text.length < MIB && row < rows - 1) continue;
    writeSync(fd, text);
    text = "";
  }
  closeSync(fd);
}

function treeOf(folder: string, bytes: number): number {
  mkdirSync(folder);
  const files = Math.floor(bytes / TREE_FILE_BYTES);
  for (let index = 0; index < files; index += 1) treeFile(folder, index, "old");
  return files;
}

function treeFile(folder: string, index: number, version: string): void {
  const directory = join(folder, String(Math.floor(index / 256)));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, String(index)), new Noise(`${version} ${index}`).take(TREE_FILE_BYTES));
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr.trim()}`);
}

/** 32 bits. */
function wordOf(noise: Noise): number {
  return noise.take(4).readUInt32LE(0);
}
