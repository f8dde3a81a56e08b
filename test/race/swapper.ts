/**
 * A local user who may write in a sink's folder: swaps directories for links as fast as it can, until its input ends. It prints
 * "ready", and at the end how many swaps it made.
 *
 *   node swapper.ts FOLDER ELSEWHERE PATH...       each PATH of FOLDER, for a link to the same PATH of ELSEWHERE
 */
import { lstatSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type Koffi from "koffi";

const RENAME_EXCHANGE = 2;
const AT_FDCWD = -100;
/** Swaps of one path before the next one has its turn; even, so that the directory is back then. */
const TURNS = 40;
/** Paths between two looks at the input. */
const PATHS_AT_ONCE = 50;

const [, , folder = "", elsewhere = "", ...paths] = process.argv;
const home = realpathSync(folder);
const exchange = openExchange();
const places = paths.map((path) => ({ real: join(folder, path), link: `${join(folder, path)}.swap`, path }));
for (const { link, path } of places) symlinkSync(join(elsewhere, path), link);
let swaps = 0;
let next = 0;
let isOver = false;
process.stdin.on("end", () => {
  isOver = true;
});
process.stdin.resume();
process.stdout.write("ready\n");
swapSome();

function swapSome(): void {
  for (let count = 0; count < PATHS_AT_ONCE; count += 1) {
    const place = places[next % places.length];
    next += 1;
    if (place !== undefined) swapOften(place);
  }
  if (isOver) process.stdout.write(`${swaps}\n`);
  else setImmediate(swapSome);
}

/** What is in the way (a directory above was removed, say) is left for the next turn. */
function swapOften({ real, link, path }: (typeof places)[number]): void {
  // A link that was left on the way would lead this program itself elsewhere.
  if (!attempt(() => checkWay(real))) return;
  for (let turn = 0; turn < TURNS; turn += 1) if (exchange(real, link)) swaps += 1;
  attempt(() => {
    const there = lstatSync(link, { throwIfNoEntry: false });
    const isLink = lstatSync(real).isSymbolicLink();
    // The other side may have removed the link, and made a directory in its place: then both are directories.
    if (there?.isDirectory() === true && isLink) exchange(real, link);
    else if (there?.isDirectory() === true) rmSync(link, { recursive: true });
    // Or it removed the directory, while that was called as the link is: then only the link is left.
    else if (isLink) rmSync(real);
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(join(elsewhere, path), link);
  });
}

/** Only this program makes links to elsewhere, so that nothing comes between this look and what follows. */
function checkWay(path: string): void {
  if (!`${realpathSync(dirname(path))}/`.startsWith(`${home}/`)) throw new Error("a link is on the way");
}

/** Both names change places at once, where the system can do that; else there is a moment without either. */
function openExchange(): (one: string, other: string) => boolean {
  try {
    const koffi: typeof Koffi = createRequire(import.meta.url)("koffi");
    const renameat2 = koffi.load(null).func("int renameat2(int, const char *, int, const char *, unsigned int)");
    return (one, other) => Number(renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE)) === 0;
  } catch {
    return (one, other) =>
      attempt(() => {
        renameSync(one, `${one}.aside`);
        renameSync(other, one);
        renameSync(`${one}.aside`, other);
      });
  }
}

function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
