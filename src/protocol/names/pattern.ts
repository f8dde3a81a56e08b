import { FanfoldError } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { PATH_BYTES_MAX } from "../limits.ts";
import { charactersOf, splitAt } from "./characters.ts";

/*
 * Patterns as in .gitignore (docs/filters.md). Plain data, so that they can be sent to a thread.
 */
interface CharacterClass {
  readonly isNegated: boolean;
  /** First and last character of each range. */
  readonly ranges: readonly (readonly [number, number])[];
}
/** A character, any run of them, any one, or one of a class. */
type PatternToken = number | "run" | "one" | CharacterClass;
/** One name of a path; or any number of directories, none too. */
type Component = readonly PatternToken[] | "directories";

export interface Pattern {
  /** As it was written, for the wire. */
  readonly bytes: Uint8Array;
  readonly directoriesOnly: boolean;
  readonly components: readonly Component[];
}

/**
 * What matching may still cost, in comparisons. Each takes at most pieces × items. But who writes the patterns may not be
 * who matches them, and may write many.
 */
export interface Effort {
  left: number;
}

/** Of a pattern in a message. */
const SHOWN_BYTES_MAX = 200;
const SLASH = 0x2f;
const STAR = 0x2a;
const BACKSLASH = 0x5c;
const RUN: readonly PatternToken[] = ["run"];
/** Of ASCII, as git knows them: first and last characters. */
const NAMED_CLASSES: ReadonlyMap<string, readonly (readonly [number, number])[]> = new Map(
  Object.entries({
    alnum: ["09", "AZ", "az"],
    alpha: ["AZ", "az"],
    blank: ["  ", "\t\t"],
    cntrl: ["\0\x1f", "\x7f\x7f"],
    digit: ["09"],
    graph: ["!~"],
    lower: ["az"],
    print: [" ~"],
    punct: ["!/", ":@", "[`", "{~"],
    space: ["\t\r", "  "],
    upper: ["AZ"],
    xdigit: ["09", "AF", "af"],
  }).map(([name, ranges]) => [name, ranges.map((range) => [range.charCodeAt(0), range.charCodeAt(1)] as const)]),
);

/**
 * Reads one pattern. `source` says where it stands, for the message.
 *
 * @throws FanfoldError `usage` for a pattern that can never match or is not understood, because it would leave nothing out
 */
export function parsePattern(bytes: Uint8Array, source: string): Pattern {
  const refuse = (reason: string): never => {
    throw new FanfoldError(
      "usage",
      `cannot read ${source} "${escapeName(bytes.subarray(0, SHOWN_BYTES_MAX))}": ${reason}`,
    );
  };
  if (bytes.length === 0) refuse("the pattern is empty");
  if (bytes.length > PATH_BYTES_MAX) refuse(`the pattern has more than ${PATH_BYTES_MAX} bytes`);
  if (bytes.includes(0)) refuse("no name holds a NUL byte");
  const names = splitAt(charactersOf(bytes), SLASH);
  const directoriesOnly = names.length > 1 && names.at(-1)?.length === 0;
  if (directoriesOnly) names.pop();
  const isAnchored = names.length > 1;
  if (isAnchored && names[0]?.length === 0) names.shift();
  const components = names.map((name) => componentOf(name, refuse));
  if (!isAnchored) components.unshift("directories");
  // Behind the last "**" any name follows: "cache/**" is all that is in it, and not the directory itself.
  if (components.at(-1) === "directories") components.push(RUN);
  return { bytes, directoriesOnly, components };
}

function componentOf(name: readonly number[], refuse: (reason: string) => never): Component {
  if (name.length === 0) refuse("a name between its slashes is empty");
  if (name.every((character) => character === 0x2e) && name.length <= 2)
    refuse('"." and ".." are not names of entries; write paths from the source\'s directory, such as /build');
  return isDirectories(name) ? "directories" : tokensOf(name, refuse);
}

function isDirectories(name: readonly number[]): boolean {
  return name.length === 2 && name[0] === STAR && name[1] === STAR;
}

function tokensOf(name: readonly number[], refuse: (reason: string) => never): readonly PatternToken[] {
  const tokens: PatternToken[] = [];
  for (let at = 0; at < name.length; at += 1) {
    const character = name[at] ?? 0;
    if (character === STAR) {
      if (tokens.at(-1) !== "run") tokens.push("run");
    } else if (character === 0x3f) tokens.push("one");
    else if (character === BACKSLASH) {
      at += 1;
      tokens.push(
        name[at] ?? refuse("a backslash at the end of a name has nothing to quote; write \\\\ for a backslash"),
      );
    } else if (character === 0x5b) {
      const [token, end] = classAt(name, at, refuse);
      tokens.push(token);
      at = end;
    } else tokens.push(character);
  }
  return tokens;
}

/** The class that begins with the bracket at `start`, and where its end is. */
function classAt(
  name: readonly number[],
  start: number,
  refuse: (reason: string) => never,
): readonly [token: CharacterClass, end: number] {
  let at = start + 1;
  const isNegated = name[at] === 0x21 || name[at] === 0x5e;
  if (isNegated) at += 1;
  const ranges: (readonly [number, number])[] = [];
  const take = (): number => {
    if (name[at] === BACKSLASH) at += 1;
    const character = name[at] ?? refuse('"[" has no "]" in the same name; write \\[ for the character itself');
    at += 1;
    return character;
  };
  // A "]" right behind the opening bracket is one of the characters.
  for (let isFirst = true; isFirst || name[at] !== 0x5d; isFirst = false) {
    const named = namedClassAt(name, at, refuse);
    if (named !== undefined) {
      ranges.push(...named.ranges);
      at = named.end;
      continue;
    }
    const from = take();
    const isRange = name[at] === 0x2d && at + 1 < name.length && name[at + 1] !== 0x5d;
    if (isRange) at += 1;
    const to = isRange ? take() : from;
    if (to < from) refuse("a range in brackets ends before it begins");
    ranges.push([from, to]);
  }
  return [{ isNegated, ranges }, at];
}

/** A named class such as `[:digit:]`, if one begins here: its characters, and the place behind it. */
function namedClassAt(name: readonly number[], at: number, refuse: (reason: string) => never) {
  if (name[at] !== 0x5b || name[at + 1] !== 0x3a) return undefined;
  const end = name.indexOf(0x5d, at + 2);
  const word = String.fromCharCode(...name.slice(at + 2, Math.max(at + 2, end - 1)));
  const ranges = end > at + 3 && name[end - 1] === 0x3a ? NAMED_CLASSES.get(word) : undefined;
  return ranges === undefined ? refuse('"[:" begins the name of a class that is not known') : { ranges, end: end + 1 };
}

/**
 * Whether the pattern names this path, given as the characters of each of its names.
 *
 * @throws FanfoldError `damaged` when the effort is used up
 */
export function matches(
  pattern: Pattern,
  path: readonly (readonly number[])[],
  isDirectory: boolean,
  effort: Effort,
): boolean {
  if (pattern.directoriesOnly && !isDirectory) return false;
  const names = { isAny: (token: PatternToken) => token === "run", fits: isCharacter, effort };
  return matchesAll(pattern.components, path, {
    isAny: (component) => component === "directories",
    fits: (component, name) => component !== "directories" && matchesAll(component, name, names),
    effort,
  });
}

interface Matching<Piece, Item> {
  /** Whether the piece stands for any number of items. */
  readonly isAny: (piece: Piece) => boolean;
  readonly fits: (piece: Piece, item: Item) => boolean;
  readonly effort: Effort;
}

/**
 * Matches all items against all pieces. Only the last piece that stands for any number is ever given more items, which is
 * enough, and takes at most pieces × items steps.
 */
function matchesAll<Piece, Item>(
  pieces: readonly Piece[],
  items: readonly Item[],
  { isAny, fits, effort }: Matching<Piece, Item>,
): boolean {
  let [piece, item] = [0, 0];
  let [anyPiece, anyItem] = [-1, 0];
  while (item < items.length) {
    effort.left -= 1;
    if (effort.left < 0)
      throw new FanfoldError(
        "damaged",
        "cannot match a name with the source's patterns: they take too much time; use simpler patterns",
      );
    const wanted = pieces[piece];
    const found = items[item];
    if (wanted !== undefined && isAny(wanted)) {
      [anyPiece, anyItem] = [piece, item];
      piece += 1;
    } else if (wanted !== undefined && found !== undefined && fits(wanted, found)) {
      piece += 1;
      item += 1;
    } else if (anyPiece >= 0) {
      anyItem += 1;
      [piece, item] = [anyPiece + 1, anyItem];
    } else return false;
  }
  return pieces.slice(piece).every(isAny);
}

function isCharacter(token: PatternToken, character: number): boolean {
  if (typeof token === "number") return token === character;
  if (typeof token === "string") return true;
  return token.ranges.some(([from, to]) => from <= character && character <= to) !== token.isNegated;
}
