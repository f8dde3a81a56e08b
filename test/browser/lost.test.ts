import { expect, test } from "vitest";
import { E2E_MS } from "../e2e/copying.ts";
import { BrowserLab, describeInBrowser, WAIT } from "../helpers/browser/browser-lab.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree } from "../helpers/trees/tree.ts";

describeInBrowser("the web page of a coordinator that is killed and started again", { timeout: 2 * E2E_MS }, () => {
  test("says at once that it knows nothing of now, and is live again by itself", async () => {
    await using lab = await CliLab.open("open");
    await using browser = await BrowserLab.open();
    browser.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
    const args = ["--state-dir", lab.path("coordinator")];
    const first = await lab.coordinator({ args });
    const { address } = first;
    const page = await browser.page(address);
    makeLongTree(lab.path("tree"), { files: 24, mibEach: 1 });
    const sink = lab.sink(address, lab.path("attic"), ["--name", "attic"]);
    const source = lab.source(address, lab.path("tree"), ["--name", "laptop", "--bwlimit", "256K"]);
    await source.event("started");
    const card = page.getByRole("article", { name: "default" });
    const rate = card.getByText(/[KM]iB\/s$/);
    await rate.first().waitFor(WAIT);
    const bar = card.getByRole("progressbar", { name: "default is copied" });
    const shown = async (): Promise<number> => Number(await bar.getAttribute("aria-valuenow"));
    await expect.poll(shown, WAIT).toBeGreaterThan(3);

    first.process.signal("SIGKILL");
    await first.process.ended;
    const alert = page.getByRole("alert");
    await alert.getByText(/^Not connected/).waitFor(WAIT);
    expect(await alert.innerText()).toMatch(/What is below is how it was at \d\d:\d\d:\d\d/);
    // What was is still there, and nothing of it pretends to be now.
    await card.waitFor(WAIT);
    await expect.poll(() => page.getByText("live", { exact: true }).count(), WAIT).toBe(0);
    expect(await card.locator(".rate").allInnerTexts()).toEqual(["–"]);
    expect(await card.getByText(/ left$/).count()).toBe(0);
    const before = await shown();

    const port = Number(/:(\d+)$/.exec(address)?.[1]);
    await lab.coordinator({ args, port });
    await page.getByText("live", { exact: true }).waitFor(WAIT);
    expect(await alert.count()).toBe(0);
    // It went on meanwhile, and does.
    await expect.poll(shown, WAIT).toBeGreaterThan(before);
    await lab.unlimit(address, { stateDir: lab.path("coordinator") });
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    await page.getByRole("row").filter({ hasText: "laptop" }).getByText("complete").waitFor(WAIT);
    await expect.poll(() => card.count(), WAIT).toBe(0);
  });

  test("forgets sessions that the coordinator does not know any more, and asks for a token anew", async () => {
    await using lab = await CliLab.open("open");
    await using browser = await BrowserLab.open();
    browser.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
    const first = await lab.coordinator({ args: ["--state-dir", lab.path("one")] });
    const { address } = first;
    const page = await browser.page(address);
    const sink = lab.sink(address, lab.path("attic"), ["--name", "attic", "--session", "old"]);
    await page.getByRole("article", { name: "old" }).waitFor(WAIT);
    sink.signal("SIGKILL");
    first.process.signal("SIGKILL");
    await Promise.all([sink.ended, first.process.ended]);
    await page.getByRole("alert").waitFor(WAIT);
    expect(await page.getByRole("article", { name: "old" }).count()).toBe(1);
    const port = Number(/:(\d+)$/.exec(address)?.[1]);
    await lab.coordinator({ args: ["--state-dir", lab.path("two")], port });
    await page.getByText("Nothing waits or runs").waitFor(WAIT);
    expect(await page.getByRole("article", { name: "old" }).count()).toBe(0);
  });
});
