import { execFile } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const MIB = 1024 * 1024;
let longPiece: Buffer | undefined;

/** A path below a folder whose name is given in bytes. */
export function below(folder: string, name: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), typeof name === "string" ? Buffer.from(name) : name]);
}

/** Content that differs from file to file and from place to place, without being kept anywhere. */
export function content(bytes: number, seed: number): Buffer {
  const made = Buffer.allocUnsafe(bytes);
  let word = (seed * 2_654_435_761) >>> 0;
  for (let at = 0; at < bytes; at += 1) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    made[at] = word >>> 24;
  }
  return made;
}

/** Names that break programs which take names for text. All are valid on Linux. */
export const ODD_NAMES: readonly (string | Uint8Array)[] = [
  Buffer.from([0xff, 0xfe, 0x61, 0x80]),
  Buffer.from([0xc3, 0x28]),
  Buffer.from([0xed, 0xa0, 0x80]),
  "with space",
  " leading and trailing ",
  "new\nline",
  "tab\tbell\u0007and \u001b[31mred",
  "-rf",
  "--delete",
  "back\\slash",
  "\\x41",
  "quote'\"`$(true)",
  "*?[a-z]{b,c}",
  "#comment;&|<>",
  "...",
  "..hidden",
  ".fanfold-not",
  "~",
  "%00",
  "__proto__",
  "caf\u00e9",
  "cafe\u0301",
  "日本語",
  "\u202etxt.exe",
  "👩‍👩‍👧",
  "n".repeat(255),
  `${"ä".repeat(127)}x`,
];

/** What is hard to carry: names, depths, modes, times, links, empty things. */
export async function makeOddTree(root: string): Promise<void> {
  mkdirSync(root, { recursive: true });
  makeOddNames(root);
  makeDeep(root);
  makeModes(root);
  makeLinks(root);
  await makeTimes(root);
  chmodSync(root, 0o750);
  await touch(join(root), "@1234567890.987654321");
}

function makeOddNames(root: string): void {
  mkdirSync(join(root, "as directories"));
  for (const [index, name] of ODD_NAMES.entries()) {
    writeFileSync(below(root, name), content(100 + index, index));
    const directory = below(join(root, "as directories"), name);
    mkdirSync(directory);
    writeFileSync(Buffer.concat([directory, Buffer.from("/file")]), content(50, index));
  }
}

/** A branch whose paths come near to the 4095 bytes of Linux, and one of many short names. */
function makeDeep(root: string): void {
  const room = 4095 - Buffer.byteLength(root) - 100;
  const long = Array.from({ length: Math.floor(room / 241) }, (_, index) => String(index).padStart(240, "l"));
  const short = Array.from({ length: 300 }, () => "d");
  for (const names of [long, short]) {
    const folder = join(root, ...names);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "deep"), "deep");
  }
}

function makeModes(root: string): void {
  writeFileSync(join(root, "empty file"), "");
  mkdirSync(join(root, "empty directory"));
  for (const mode of [0o400, 0o444, 0o600, 0o644, 0o755, 0o777, 0o1644]) {
    writeFileSync(join(root, `mode ${mode.toString(8)}`), "mode");
    chmodSync(join(root, `mode ${mode.toString(8)}`), mode);
  }
  for (const mode of [0o700, 0o1777, 0o2755]) {
    mkdirSync(join(root, `directory ${mode.toString(8)}`));
    chmodSync(join(root, `directory ${mode.toString(8)}`), mode);
  }
  mkdirSync(join(root, "read-only/inner"), { recursive: true });
  writeFileSync(join(root, "read-only/file"), "in a directory that cannot be written");
  writeFileSync(join(root, "read-only/inner/file"), "and deeper");
  chmodSync(join(root, "read-only/inner"), 0o555);
  chmodSync(join(root, "read-only"), 0o555);
}

function makeLinks(root: string): void {
  const links: readonly (readonly [string, string | Uint8Array])[] = [
    ["dangling", "nowhere/at all"],
    ["absolute", "/etc/passwd"],
    ["upwards", "../../../../etc"],
    ["itself", "itself"],
    ["loop a", "loop b"],
    ["loop b", "loop a"],
    ["to directory", "empty directory"],
    ["to bytes", Buffer.from([0xff, 0x2f, 0xfe])],
    ["to long", `${"t/".repeat(2000)}end`],
    ["to newline", "a\nb"],
  ];
  for (const [name, target] of links) symlinkSync(Buffer.from(target), below(root, name));
}

/** Times that Node itself cannot set: touch can. */
async function makeTimes(root: string): Promise<void> {
  const times = [
    "@0",
    "@0.000000001",
    "@-1.5",
    "@-1000000000.123456789",
    "@1700000000.999999999",
    "@1700000000.000001",
    "@1700000000.123456500",
    "@4102444800.000000001",
  ];
  for (const [index, time] of times.entries()) {
    const file = join(root, `time ${index}`);
    writeFileSync(file, time);
    await touch(file, time);
    mkdirSync(join(root, `time of directory ${index}`));
    await touch(join(root, `time of directory ${index}`), time);
    symlinkSync("nowhere", join(root, `time of link ${index}`));
    await touch(join(root, `time of link ${index}`), time);
  }
}

async function touch(path: string, time: string): Promise<void> {
  await run("touch", ["--no-dereference", `--date=${time}`, "--", path]);
}

/** Many files in directories of a hundred, with names at least so long. */
export function makeManyFiles(root: string, count: number, bytes = 300, nameBytes = 0): void {
  const shared = content(bytes, 1);
  for (let index = 0; index < count; index += 1) {
    const folder = join(root, `d${Math.floor(index / 100)}`);
    if (index % 100 === 0) mkdirSync(folder, { recursive: true });
    shared.writeUInt32LE(index, 0);
    writeFileSync(join(folder, `f${index}`.padEnd(nameBytes, "-")), index % 50 === 0 ? "" : shared);
  }
}

/** A file with holes and a little content at its start, its middle and its end. */
export function makeSparseFile(path: string, bytes: number, seed = 1): void {
  const fd = openSync(path, "w");
  ftruncateSync(fd, bytes);
  const mark = content(Math.min(4096, bytes), seed);
  for (const offset of [0, Math.floor(bytes / 2), bytes - mark.length]) {
    if (offset >= 0) writeSync(fd, mark, 0, Math.min(mark.length, bytes - offset), offset);
  }
  closeSync(fd);
}

/** Much content, without holes: a copy of it lasts long enough to be disturbed in its middle. */
export function makeLongTree(root: string, options: { readonly files: number; readonly mibEach: number }): void {
  mkdirSync(root, { recursive: true });
  for (let index = 0; index < options.files; index += 1)
    makeLongFile(join(root, `file-${String(index).padStart(3, "0")}`), options.mibEach, index);
}

/** Each MiB of it names its file and its place: a piece at a wrong place, or of another file, is a difference. */
export function makeLongFile(path: string, mib: number, seed = 1): void {
  longPiece ??= content(MIB, 3);
  const fd = openSync(path, "w");
  for (let index = 0; index < mib; index += 1) {
    longPiece.writeUInt32LE(seed, 0);
    longPiece.writeUInt32LE(index, 4);
    writeSync(fd, longPiece);
  }
  closeSync(fd);
}

/** A real tree of this machine, up to so many bytes: the packages' documentation, else the project's own packages. */
export async function copyRealTree(to: string, capBytes: number): Promise<void> {
  const here = new URL("../../../node_modules", import.meta.url).pathname;
  const from = existsSync("/usr/share/doc/") && readdirSync("/usr/share/doc").length > 20 ? "/usr/share/doc" : here;
  mkdirSync(to, { recursive: true });
  let bytes = 0;
  const chosen: string[] = [];
  for (const name of readdirSync(from)) {
    const size = bytesOf(join(from, name));
    if (bytes + size > capBytes) continue;
    bytes += size;
    chosen.push(join(from, name));
  }
  await run("cp", ["-a", "--", ...chosen, to]);
}

function bytesOf(path: string): number {
  const stats = lstatSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

/** Lets the owner into every directory, so that all of it can be removed. */
export async function makeRemovable(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) await run("chmod", ["-R", "u+rwX", "--", folder]);
}
