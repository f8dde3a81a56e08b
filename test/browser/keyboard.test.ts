import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { E2E_MS } from "../e2e/copying.ts";
import { BrowserLab, describeInBrowser, WAIT } from "../helpers/browser/browser-lab.ts";
import { startWatched } from "../helpers/browser/coordinators.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree } from "../helpers/trees/tree.ts";

/** What has the focus: as somebody who listens is told. */
const FOCUSED = `(() => {
  const { activeElement: at } = document;
  if (at === null || at === document.body) return "";
  return at.getAttribute("aria-label") ?? at.labels?.[0]?.firstChild?.textContent ?? at.textContent.trim();
})()`;
/** Whether there is a mark around it that can be seen. */
const IS_MARKED = `(() => {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
  return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
})()`;
const IN_DIALOG = `document.activeElement.closest("dialog") !== null || document.activeElement === document.body`;

describeInBrowser("the web page by keyboard alone", { timeout: 2 * E2E_MS }, () => {
  test("leads from the login to the end of a session", async () => {
    await using lab = await CliLab.open("guarded");
    await using browser = await BrowserLab.open();
    const coordinator = await startWatched(lab);
    const { address } = coordinator;
    const page = await browser.page(coordinator.url);
    await page.getByLabel("Token").waitFor(WAIT);
    await tabTo(page, "Token");
    await page.keyboard.type(await coordinator.token("admin"));
    await page.keyboard.press("Enter");
    await page.getByText("admin", { exact: true }).waitFor(WAIT);

    makeLongTree(lab.path("tree"), { files: 200, mibEach: 1 });
    const sinks = ["attic", "cellar"].map((name) => lab.sink(address, lab.path(name), ["--name", name]));
    const options = ["--name", "laptop", "--dest-count", "2", "--bwlimit", "1M"];
    const source = lab.source(address, lab.path("tree"), options);
    await source.event("started");
    const card = page.getByRole("article", { name: "default" });
    await card.getByText("copying", { exact: true }).waitFor(WAIT);
    // Everything that can be done, in the order in which it stands there, with the focus in sight.
    while ((await tab(page)) !== "");
    const met: string[] = [];
    for (let name = await tab(page); !met.includes(name) && name !== ""; name = await tab(page)) {
      expect(await page.evaluate(IS_MARKED), name).toBe(true);
      met.push(name);
    }
    expect(met).toEqual([
      ...["fanfold", "Log out", "default", "Limit laptop", "Cancel default"],
      ...["Limit attic", "Drop attic", "Limit cellar", "Drop cellar"],
    ]);

    await tabTo(page, "Drop attic");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Drop attic from default?" });
    await dialog.waitFor(WAIT);
    for (let count = 0; count < 6; count += 1) {
      expect(await page.evaluate(IN_DIALOG)).toBe(true);
      await page.keyboard.press(count < 3 ? "Tab" : "Shift+Tab");
    }
    await page.keyboard.press("Escape");
    await expect.poll(() => dialog.count(), WAIT).toBe(0);
    await expect.poll(() => page.evaluate(FOCUSED), WAIT).toBe("Drop attic");
    // What is grave is never the answer of somebody who presses Enter twice.
    await page.keyboard.press("Enter");
    await dialog.waitFor(WAIT);
    expect(await page.evaluate(FOCUSED)).not.toBe("Drop the sink");
    await page.keyboard.press("Escape");

    await tabTo(page, "Cancel default");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Cancel default?" }).waitFor(WAIT);
    await tabTo(page, "Cancel the session");
    await page.keyboard.press("Enter");
    expect(await Promise.all([source, ...sinks].map((process) => process.exit()))).toEqual([15, 15, 15]);
    const row = page.getByRole("row").filter({ hasText: "laptop" });
    await row.getByText("cancelled").waitFor(WAIT);
    await tabTo(page, "default");
    await page.keyboard.press("Enter");
    const title = page.getByRole("heading", { name: "Session default" });
    await title.waitFor(WAIT);
    // Who listens hears where the link led.
    await expect.poll(() => page.evaluate(FOCUSED), WAIT).toContain("Session");
  });
});

/** Gives what has the focus then. */
async function tab(page: Page): Promise<string> {
  await page.keyboard.press("Tab");
  return await page.evaluate<string>(FOCUSED);
}

const TABS_MAX = 60;

async function tabTo(page: Page, name: string): Promise<void> {
  const met: string[] = [];
  for (let count = 0; count < TABS_MAX; count += 1) {
    const at = await tab(page);
    if (at === name) return;
    met.push(at);
  }
  throw new Error(`Wanted to come to "${name}" by Tab; came to ${JSON.stringify(met)}`);
}
