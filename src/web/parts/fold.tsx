import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

const SHOWN_AT_FIRST = 10;

interface FoldProps<Item> {
  readonly items: readonly Item[];
  readonly columns: number;
  readonly what: string;
  /** A row. */
  readonly children: (item: Item) => ComponentChildren;
}

/** The body of a table whose later rows are shown when somebody wants them. */
export function Fold<Item>({ items, columns, what, children }: FoldProps<Item>) {
  const isOpen = useSignal(false);
  const isFolded = !isOpen.value && items.length > SHOWN_AT_FIRST + 2;
  const shown = isFolded ? items.slice(0, SHOWN_AT_FIRST) : items;
  return (
    <tbody>
      {shown.map(children)}
      {isFolded && (
        <tr class="more">
          <td colSpan={columns}>
            <button
              type="button"
              class="quiet"
              onClick={() => {
                isOpen.value = true;
              }}
            >
              Show {items.length - SHOWN_AT_FIRST} more {what}
            </button>
          </td>
        </tr>
      )}
    </tbody>
  );
}
