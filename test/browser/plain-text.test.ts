import { expect, test } from "vitest";
import { E2E_MS } from "../e2e/copying.ts";
import { BrowserLab, describeInBrowser, WAIT } from "../helpers/browser/browser-lab.ts";
import { CliLab } from "../helpers/processes/cli.ts";

describeInBrowser("the web page over a network in plain text", { timeout: E2E_MS }, () => {
  test("takes no token, and on the coordinator's machine it does", async () => {
    await using lab = await CliLab.open("open");
    await using browser = await BrowserLab.open(["--host-resolver-rules=MAP box.test 127.0.0.1"]);
    const { address } = await lab.coordinator({ args: ["--allow-host", "box.test"] });
    // A browser takes no isolation from an origin in plain text, and tells that.
    browser.allow(/Cross-Origin-Opener-Policy/);
    const port = /\d+$/.exec(address)?.[0];
    const far = await browser.page(`box.test:${port}`);
    await far.getByText("live", { exact: true }).waitFor(WAIT);
    await far.getByRole("heading", { name: "Nothing waits or runs" }).waitFor(WAIT);
    expect(await far.getByRole("button", { name: "Log in" }).count()).toBe(0);
    const near = await browser.page(`localhost:${port}`);
    await near.getByRole("button", { name: "Log in" }).waitFor(WAIT);
  });
});
