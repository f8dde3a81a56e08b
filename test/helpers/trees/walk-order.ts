import { systemRandom } from "../../../src/lib/random.ts";
import { ENTRY_KINDS, type Entry, KEEPS_ALL } from "../../../src/protocol/frame/page.ts";
import { decodePage, type PageRows } from "../../../src/protocol/frame/page-rows.ts";
import { PAGE_ENTRIES_MAX } from "../../../src/protocol/limits.ts";
import { TreeOrder } from "../../../src/sink/stream/tree-order.ts";
import { rowsOf } from "../copies/rows-of.ts";
import { walkTree } from "./walk-tree.ts";

/** Every entry of a walk. */
export function walkedEntries(root: string): Entry[] {
  const entries: Entry[] = [];
  for (const output of walkTree(Buffer.from(root)))
    if (output.type === "page") entries.push(...decodePage(output.body).entries);
  return entries;
}

/** Numbers the entries and follows them as a sink does. @throws FanfoldError `damaged` when no walk gives them in this order */
export function followOrder(list: readonly Entry[]): void {
  // Which is a further name of which is nothing to the order, and may not come before it.
  const entries = list.map(
    (entry, index): Entry => ({ ...entry, ...(entry.kind === "hardlink" ? { to: 0 } : {}), entry: index }),
  );
  const entryOf = (number: number): Entry => {
    const entry = entries[number];
    if (entry === undefined) throw new Error(`no entry ${number}`);
    return entry;
  };
  using order = new TreeOrder({ pageStore: { entry: entryOf }, random: systemRandom });
  for (let first = 0; first < entries.length; first += PAGE_ENTRIES_MAX)
    followPage(
      order,
      rowsOf({ page: 0, first, keeps: KEEPS_ALL, entries: entries.slice(first, first + PAGE_ENTRIES_MAX) }),
    );
}

export function followPage(order: TreeOrder, rows: PageRows): void {
  for (let index = 0; index < rows.count; index += 1) {
    order.take(rows, index);
    if (rows.kind(index) === ENTRY_KINDS.directory && rows.first + index > 0) order.opens(rows, index, false);
  }
}
