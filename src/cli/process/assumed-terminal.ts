import type { Environment, Output } from "./program-io.ts";

/**
 * An output that a person looks at, though it is no terminal: `ssh host fanfold …` is a pipe at that host. Its size is what
 * COLUMNS and LINES say, else the usual one.
 */
export function assumeTerminal(output: Output, { COLUMNS, LINES }: Environment): Output {
  if (output.isTTY === true) return output;
  return {
    isTTY: true,
    isAssumed: true,
    columns: Number(COLUMNS ?? 0),
    rows: Number(LINES ?? 0),
    write: (text) => output.write(text),
  };
}
