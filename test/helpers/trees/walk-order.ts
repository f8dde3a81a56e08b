import { systemRandom } from "../../../src/lib/random.ts";
import type { Entry } from "../../../src/protocol/frame/page.ts";
import { decodePage } from "../../../src/protocol/frame/page.ts";
import { TreeOrder } from "../../../src/sink/stream/tree-order.ts";
import { walkTree } from "../../../src/source/walk/walk.ts";

/** Every entry of a walk. */
export function walkedEntries(root: string): Entry[] {
  const entries: Entry[] = [];
  for (const output of walkTree(Buffer.from(root)))
    if (output.type === "page") entries.push(...decodePage(output.body).entries);
  return entries;
}

/** Numbers the entries and follows them as a sink does. @throws FanfoldError `damaged` when no walk gives them in this order */
export function followOrder(list: readonly Entry[]): void {
  const entries = list.map((entry, index) => ({ ...entry, entry: index }));
  const entryOf = (number: number): Entry => {
    const entry = entries[number];
    if (entry === undefined) throw new Error(`no entry ${number}`);
    return entry;
  };
  using order = new TreeOrder({ pageStore: { entry: entryOf }, random: systemRandom });
  for (const entry of entries) {
    order.take(entry);
    if (entry.kind === "directory" && entry.entry > 0) order.opens(entry, false);
  }
}
