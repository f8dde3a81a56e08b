import { expect, test } from "vitest";
import type { SessionView } from "../../src/protocol/messages/session-view.ts";
import { E2E_MS, expectProven } from "../e2e/copying.ts";
import { BrowserLab, describeInBrowser, WAIT } from "../helpers/browser/browser-lab.ts";
import { logIn, pageFor, startWatched } from "../helpers/browser/coordinators.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree } from "../helpers/trees/tree.ts";

describeInBrowser("orders from the web page", { timeout: 2 * E2E_MS }, () => {
  test("an admin sets a limit, drops a sink, and cancels the session of the others", async () => {
    await using lab = await CliLab.open("guarded");
    await using browser = await BrowserLab.open();
    const coordinator = await startWatched(lab);
    const { address } = coordinator;
    const page = await pageFor("admin", { browser, coordinator });
    makeLongTree(lab.path("tree"), { files: 20, mibEach: 1 });
    const [attic, cellar] = ["attic", "cellar"].map((name) => lab.sink(address, lab.path(name), ["--name", name]));
    const source = lab.source(address, lab.path("tree"), [
      "--name",
      "laptop",
      "--dest-count",
      "2",
      "--bwlimit",
      "100K",
    ]);
    await source.event("started");
    const card = page.getByRole("article", { name: "default" });
    await card.getByText("copying", { exact: true }).waitFor(WAIT);

    browser.allow(/status of 400/);
    await card.getByRole("button", { name: "Limit attic" }).click();
    const limit = page.getByRole("dialog", { name: "Limit attic in default" });
    await limit.getByLabel("Limit", { exact: true }).fill("fast");
    await limit.getByRole("button", { name: "Set the limit" }).click();
    expect(await limit.getByRole("alert").innerText(WAIT)).toContain('"fast"');
    await limit.getByLabel("Limit", { exact: true }).fill("4M");
    await limit.getByRole("button", { name: "Set the limit" }).click();
    await card.getByRole("listitem").filter({ hasText: "attic" }).getByText("limit 4.0 MiB/s").waitFor(WAIT);
    expect(await limit.count()).toBe(0);

    await card.getByRole("button", { name: "Drop attic" }).click();
    const dialog = page.getByRole("dialog", { name: "Drop attic from default?" });
    await dialog.getByRole("button", { name: "Leave it" }).click();
    expect(await dialog.count()).toBe(0);
    expect(attic?.status).toBeUndefined();
    await card.getByRole("button", { name: "Drop attic" }).click();
    await dialog.getByRole("button", { name: "Drop the sink" }).click();
    expect(await attic?.exit()).toBe(5);
    expect(await attic?.failure()).toMatchObject({ code: "refused", message: expect.stringContaining("dropped by") });
    await expect.poll(() => dialog.count(), WAIT).toBe(0);
    expect([source.status, cellar?.status]).toEqual([undefined, undefined]);

    await card.getByRole("button", { name: "Cancel default" }).click();
    const question = page.getByRole("dialog", { name: "Cancel default?" });
    await question.getByRole("button", { name: "Cancel the session" }).click();
    expect([await source.exit(), await cellar?.exit()]).toEqual([15, 15]);
    expect(await source.failure()).toMatchObject({ code: "cancelled" });
    await page.getByRole("row").filter({ hasText: "laptop" }).getByText("cancelled").waitFor(WAIT);
    expect(await card.count()).toBe(0);
    await browser.expectDocumented(page);
  });

  test("an observer sees all, and has nothing to order; the coordinator refuses what its browser asks", async () => {
    await using lab = await CliLab.open("guarded");
    await using browser = await BrowserLab.open();
    const coordinator = await startWatched(lab);
    const { address } = coordinator;
    browser.allow(/status of 403/);
    const page = await pageFor("observer", { browser, coordinator });
    makeLongTree(lab.path("tree"), { files: 4, mibEach: 1 });
    const sink = lab.sink(address, lab.path("attic"), ["--name", "attic"]);
    const source = lab.source(address, lab.path("tree"), ["--name", "laptop", "--bwlimit", "100K"]);
    await source.event("started");
    const card = page.getByRole("article", { name: "default" });
    await card.getByText("copying", { exact: true }).waitFor(WAIT);
    expect(await card.getByRole("button").count()).toBe(0);
    expect(await page.getByRole("main").getByRole("button").count()).toBe(0);
    const { sessions } = (await (await page.request.get("/api/v1/sessions")).json()) as { sessions: SessionView[] };
    const place = `/api/v1/sessions/${sessions[0]?.sessionId}`;
    for (const [method, path, body] of [
      ["DELETE", place],
      ["DELETE", `${place}/sinks/attic`],
      ["PUT", `${place}/limit`, { limit: "1M" }],
      ["PUT", `${place}/sinks/attic/limit`, { limit: "1M" }],
      ["POST", "/api/v1/tokens", { role: "admin" }],
      ["DELETE", `/api/v1/members/${"0".repeat(64)}`],
    ] as const) {
      const headers = { "content-type": "application/json" };
      const options = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const text = `fetch(${JSON.stringify(path)}, ${JSON.stringify(options)}).then((answer) => answer.json())`;
      expect(await page.evaluate(text), `${method} ${path}`).toMatchObject({ status: 403, code: "token-role" });
    }
    await browser.expectDocumented(page);
    // It went on all the while.
    await lab.unlimit(address, { stateDir: lab.path("coordinator") });
    await expectProven(source, [sink]);
  });

  test("who looks without a token learns nothing, and is told in words what is wrong with the one that is typed", async () => {
    await using lab = await CliLab.open("guarded");
    await using browser = await BrowserLab.open();
    browser.allow(/status of 40[13]/);
    const coordinator = await startWatched(lab);
    const sink = lab.sink(coordinator.address, lab.path("attic"), ["--name", "attic", "--session", "secret"]);
    await sink.event("waiting");
    const page = await browser.page(coordinator.url);
    await page.getByRole("heading", { name: "Log in to this coordinator" }).waitFor(WAIT);
    expect(await page.content()).not.toMatch(/secret|attic/);
    const good = await coordinator.token("observer");
    const alert = page.getByRole("alert");
    const last = good.endsWith("0") ? "1" : "0";
    const member = (await page.request.get("/api/v1/sessions")).status();
    expect(member).toBe(401);
    for (const [typed, told] of [
      [good.slice(0, -5), /token/],
      [`${good.slice(0, -1)}${last}`, /token/],
      ["hello", /token/],
    ] as const) {
      await logIn(page, typed);
      // It is shut while the answer is awaited; until then, the alert is of the token before.
      await expect.poll(() => page.getByRole("button", { name: "Log in" }).isEnabled(), WAIT).toBe(true);
      await alert.getByText(told).waitFor(WAIT);
      expect(await alert.innerText()).toMatch(/^\S.*[a-z].*; .*$/);
    }
    await logIn(page, good);
    await page.getByRole("article", { name: "secret" }).getByText("attic", { exact: true }).waitFor(WAIT);
    // Nothing that a script, or who looks over the shoulder, can take along.
    expect(page.url()).toBe(`${coordinator.url}/`);
    expect(await page.evaluate("document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })")).toBe("{}");
    expect(await page.content()).not.toContain(good);
    await page.reload();
    await page.getByRole("article", { name: "secret" }).waitFor(WAIT);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in to this coordinator" }).waitFor(WAIT);
    expect(await page.content()).not.toMatch(/secret|attic/);
    expect((await page.request.get("/api/v1/sessions")).status()).toBe(401);
  });
});
