/** Words are compared up to this length: options are shorter. */
const WORD_CHARS_MAX = 64;

/**
 * The word that was most likely meant: in another way of writing (`dest_count`, `destCount`), or with a few letters
 * wrong, missing, added or swapped. Undefined when none is near.
 */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  const wanted = withDashes(word.slice(0, WORD_CHARS_MAX));
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor((wanted.length + 1) / 3)) + 1;
  for (const candidate of known) {
    const away = distance(wanted, candidate);
    if (away >= least) continue;
    least = away;
    nearest = candidate;
  }
  return nearest;
}

function withDashes(word: string): string {
  return word
    .replace(/^-+/, "")
    .replaceAll(/([a-z])([A-Z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
}

/** How many letters have to be changed, added, removed or swapped with the next (optimal string alignment). */
function distance(one: string, other: string): number {
  const rows: number[][] = [];
  const cell = (row: number, column: number): number => rows[row]?.[column] ?? Math.max(row, column);
  for (let row = 1; row <= one.length; row += 1) {
    rows[row] = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = row > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const changed = cell(row - 1, column - 1) + Number(!isSame);
      const swapped = isSwapped ? cell(row - 2, column - 2) + 1 : changed;
      rows[row]?.push(Math.min(cell(row - 1, column) + 1, cell(row, column - 1) + 1, changed, swapped));
    }
  }
  return cell(one.length, other.length);
}
