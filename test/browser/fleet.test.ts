import { expect, test } from "vitest";
import { clientOf, coordinatorOf } from "../coordinator/coordinator-fixture.ts";
import { E2E_MS } from "../e2e/copying.ts";
import { BrowserLab, describeInBrowser, WAIT } from "../helpers/browser/browser-lab.ts";

const GIB = 1024 ** 3;

describeInBrowser("the sinks of the web page", { timeout: E2E_MS }, () => {
  test("have one name everywhere, and the free space of this moment", async () => {
    await using browser = await BrowserLab.open();
    const coordinator = await coordinatorOf();
    const page = await browser.page(`127.0.0.1:${coordinator.port}`);
    const space = (gib: number) => ({ freeBytes: gib * GIB, sizeBytes: 10 * GIB });
    await (await clientOf(coordinator)).enter("sink", { label: "vm", free: space(9) });
    const client = await clientOf(coordinator);
    await client.enter("sink", { label: "vm", labelElse: "vm-dst", free: space(8) });
    const card = page.getByRole("article", { name: "default" });
    const line = card.getByRole("listitem").filter({ hasText: "vm-dst" });
    const row = page.getByRole("region", { name: "Sinks" }).getByRole("row").filter({ hasText: "vm-dst" });
    await line.getByText("8.0 GiB", { exact: true }).waitFor(WAIT);
    await row.getByText("8.0 GiB of 10.0 GiB").waitFor(WAIT);
    expect(await page.getByRole("rowheader").allInnerTexts()).toEqual(["vm", "vm-dst"]);
    client.raw(JSON.stringify({ type: "status", free: space(5) }));
    await line.getByText("5.0 GiB", { exact: true }).waitFor(WAIT);
    await row.getByText("5.0 GiB of 10.0 GiB").waitFor(WAIT);
    client[Symbol.dispose]();
    await row.getByText("not here").waitFor(WAIT);
    await row.getByText("5.0 GiB of 10.0 GiB").waitFor(WAIT);
  });
});
