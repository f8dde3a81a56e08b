import { type Page, PageWriter } from "../../../src/protocol/frame/page.ts";
import { type PageRows, readRows } from "../../../src/protocol/frame/page-rows.ts";

export function encodePage(page: Page): Buffer {
  const writer = new PageWriter();
  for (const entry of page.entries) writer.add(entry);
  return writer.take(page);
}

/** A page made by hand, as whoever got it reads it. */
export function rowsOf(page: Page): PageRows {
  return readRows(encodePage(page));
}
