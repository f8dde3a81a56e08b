/** Results whose name is not what people read. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["quorum", "enough sinks"],
  ["sinks-missing", "sinks missing"],
  ["dry-run", "dry run"],
]);

/** How a session ended. A result of a later release is told as it came. */
export function resultWord(result: string): string {
  return WORDS.get(result) ?? result;
}
