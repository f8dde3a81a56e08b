import { FanfoldError } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { type Entry, entryPath } from "../../protocol/frame/page.ts";
import { checkPath } from "../../protocol/names/relative-path.ts";

const SLASH = 0x2f;

/** Which entries of a snapshot are restored: all, or what has one of these paths and what is below it, with the directories above. */
export class RestorePart {
  readonly #paths: ReadonlySet<string>;
  readonly #above = new Set<string>();
  readonly #found = new Set<string>();

  /** `paths`: below the snapshot's root. None: all of it. @throws FanfoldError `usage` */
  constructor(paths: readonly Uint8Array[]) {
    this.#paths = new Set(paths.map((path) => keyOf(plainPath(path))));
    if (this.#paths.has("")) this.#paths = new Set();
    for (const path of this.#paths) for (const above of directoriesAbove(path)) this.#above.add(above);
  }

  get isAll(): boolean {
    return this.#paths.size === 0;
  }

  has(entry: Entry): boolean {
    if (this.isAll) return true;
    const path = keyOf(entryPath(entry));
    const named = [path, ...directoriesAbove(path)].find((each) => this.#paths.has(each));
    if (named !== undefined) this.#found.add(named);
    return named !== undefined || (entry.kind === "directory" && this.#above.has(path));
  }

  /** Paths that no entry had so far, escaped. */
  get missing(): readonly string[] {
    return [...this.#paths]
      .filter((path) => !this.#found.has(path))
      .map((path) => escapeName(Buffer.from(path, "latin1")));
  }
}

/** From its own down to that of the root. */
function directoriesAbove(path: string): string[] {
  const above: string[] = [];
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1))
    above.push(path.slice(0, slash));
  return [...above, ""];
}

/** Without slashes at its ends, and without a dot at its beginning. */
function plainPath(given: Uint8Array): Buffer {
  let path = Buffer.from(given);
  if (path.equals(Buffer.from("."))) return Buffer.alloc(0);
  if (path.subarray(0, 2).equals(Buffer.from("./"))) path = path.subarray(2);
  while (path[0] === SLASH) path = path.subarray(1);
  while (path.at(-1) === SLASH) path = path.subarray(0, -1);
  try {
    checkPath(path);
  } catch (cause) {
    const text = `cannot restore "${escapeName(given)}": want a path below the snapshot's folder`;
    throw new FanfoldError("usage", text, { cause });
  }
  return path;
}

function keyOf(path: Buffer): string {
  return path.toString("latin1");
}
