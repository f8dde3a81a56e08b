import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const COLOURS = ["light", "dark"] as const;
/** A desk, and a small phone. */
const WIDTHS_PX = [1280, 360] as const;
const HEIGHT_PX = 800;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What is in order is not told: telling takes most of the time. */
const ONLY_FOUND = { resultTypes: ["violations" as const] };
/** How many pixels of the page are beyond its right edge. */
const BEYOND = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

/**
 * Fails when axe finds something in what is shown now, dark or light, wide or narrow, or when it has to be scrolled aside. The
 * context of the page needs `bypassCSP`, because axe is put into it.
 */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  // The page has no frames. So axe needs no second page that joins what it found in each ("legacy mode").
  expect(page.frames()).toHaveLength(1);
  for (const width of WIDTHS_PX) {
    await page.setViewportSize({ width, height: HEIGHT_PX });
    for (const colorScheme of COLOURS) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const where = `${state}, ${colorScheme}, ${width} px wide`;
      const { violations } = await new AxeBuilder({ page })
        .options(ONLY_FOUND)
        .withTags(TAGS)
        .setLegacyMode()
        .analyze();
      const found = violations.map(({ id, help, nodes }) => ({
        id,
        help,
        nodes: nodes.map(({ html, any }) => ({ html, any: any.map(({ message }) => message) })),
      }));
      expect(found, where).toEqual([]);
    }
    const beyond = await page.evaluate<number>(BEYOND);
    expect(beyond, `${state}: pixels beyond ${width}`).toBeLessThanOrEqual(0);
  }
}
