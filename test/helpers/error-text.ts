import { inspect } from "node:util";

/** Which of the words stand anywhere in what a rejection shows, its causes and their properties included. */
export async function secretsOf(rejected: Promise<unknown>, words: readonly string[]): Promise<string[]> {
  const shown = await rejected.then(
    () => {
      throw new Error("The promise did not reject");
    },
    (reason: unknown) => inspect(reason, { depth: 10, showHidden: true }),
  );
  return words.filter((word) => shown.includes(word));
}
