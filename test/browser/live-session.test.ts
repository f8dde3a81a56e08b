import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SessionDetail } from "../../src/protocol/api/answer-schemas.ts";
import type { SessionSummary } from "../../src/protocol/messages/progress.ts";
import { formatBytes, formatCount } from "../../src/words/format.ts";
import { E2E_MS } from "../e2e/copying.ts";
import type { TestBroker } from "../helpers/brokers/broker-types.ts";
import { brokersAvailable, startNats } from "../helpers/brokers/brokers.ts";
import type { ScopedRabbit } from "../helpers/brokers/scoped-rabbit.ts";
import { shareRabbit } from "../helpers/brokers/shared-rabbit.ts";
import { BrowserLab, describeInBrowser, WAIT } from "../helpers/browser/browser-lab.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree } from "../helpers/trees/tree.ts";

const MARK = "this page was not loaded again";
/** Keeps each state of the page in which nothing is to be seen of any session. */
const WATCH = `globalThis.lapses = [];
  new MutationObserver(() => {
    const inSight = document.querySelector("article.session, #ended") !== null;
    if (!inSight) globalThis.lapses.push(document.body.innerText);
  }).observe(document.body, { childList: true, subtree: true });`;

describeInBrowser("the web page", { timeout: 2 * E2E_MS }, () => {
  watchCases("the embedded relay", () => "embedded");

  describe.skipIf(!brokersAvailable("nats"))("with a NATS server", () => {
    let broker: TestBroker;
    beforeAll(async () => {
      broker = await startNats();
    });
    afterAll(() => broker.stop());
    watchCases("NATS", () => broker.url);
  });

  describe.skipIf(!brokersAvailable("rabbit"))("with a RabbitMQ server", () => {
    let broker: ScopedRabbit;
    beforeAll(async () => {
      broker = await shareRabbit();
    });
    afterAll(() => broker.stop());
    watchCases("RabbitMQ", () => broker.rootUrl);
  });
});

function watchCases(transport: string, broker: () => string): void {
  test(`shows a session over ${transport} from its first member to its end, without being loaded again`, async () => {
    await using lab = await CliLab.open("open");
    await using browser = await BrowserLab.open();
    const { address } = await lab.coordinator({ broker: broker() });
    const page = await browser.page(address);
    await page.getByText("Nothing waits or runs").waitFor(WAIT);
    await page.evaluate(`globalThis.mark = ${JSON.stringify(MARK)}`);

    const sinks = [lab.sink(address, lab.path("attic"), ["--name", "attic"])];
    const card = page.getByRole("article", { name: "default" });
    await card.getByText("waiting", { exact: true }).waitFor(WAIT);
    await card.getByText("attic", { exact: true }).waitFor(WAIT);
    await card.getByText("no source yet to 1 sink").waitFor(WAIT);

    makeLongTree(lab.path("tree"), { files: 3, mibEach: 4 });
    const options = ["--name", "laptop", "--expect", "attic,cellar", "--bwlimit", "256K"];
    const source = lab.source(address, lab.path("tree"), options);
    await card.getByText("laptop waits for cellar.").waitFor(WAIT);
    sinks.push(lab.sink(address, lab.path("cellar"), ["--name", "cellar"]));
    await source.event("started");
    await card.getByText("copying", { exact: true }).waitFor(WAIT);
    await card.getByText("tree from laptop to 2 sinks").waitFor(WAIT);
    await page.evaluate(WATCH);
    await expectProgress(card);
    await lab.unlimit(address);

    expect(await Promise.all([source, ...sinks].map((process) => process.exit()))).toEqual([0, 0, 0]);
    const { summary } = await source.event("finished");
    await page.getByText("default, tree from laptop to 2 sinks, ended").waitFor(WAIT);
    expect(await page.evaluate("globalThis.lapses")).toEqual([]);
    await expectKept(page, summary);
    await expect.poll(() => card.count(), WAIT).toBe(0);
    expect(await page.evaluate("globalThis.mark")).toBe(MARK);
    await browser.expectDocumented(page);
  });
}

/** The numbers of the source, and of each sink, rise; what is shown is what a source can have said. */
async function expectProgress(card: Locator): Promise<void> {
  await card.getByText("file-00").first().waitFor(WAIT);
  const counts = card.getByText(/ of 12\.0 MiB, \d of 3 files/);
  await counts.waitFor(WAIT);
  const bars = ["default is copied", "attic has stored", "cellar has stored"];
  for (const name of bars) {
    const bar = card.getByRole("progressbar", { name });
    const value = async (): Promise<number> => Number(await bar.getAttribute("aria-valuenow"));
    await expect.poll(value, WAIT).toBeGreaterThan(5);
    const before = await value();
    expect(before).toBeLessThan(100);
    await expect.poll(value, WAIT).toBeGreaterThan(before);
  }
  // Held to 256 KiB in a second.
  await card
    .getByText(/^[12]\d\d\.\d KiB\/s$/)
    .first()
    .waitFor(WAIT);
  await card.getByText(/^about \d:\d\d left$/).waitFor(WAIT);
  await card.getByText("Both sinks keep up.").waitFor(WAIT);
}

/** What the page keeps of a session, in its list and on a page of its own, is what the source said at its end. */
async function expectKept(page: Page, summary: SessionSummary): Promise<void> {
  const { files, bytes, digest = "", problemCount, result, sinks } = summary;
  const row = page.getByRole("row").filter({ hasText: "laptop" });
  await row.getByText(result, { exact: true }).waitFor(WAIT);
  const cell = (label: string): Promise<string> => row.locator(`[data-label=${label}]`).innerText();
  expect(await cell("directory")).toBe("tree");
  expect(await cell("sinks")).toBe(String(sinks.length));
  expect(await cell("files")).toBe(formatCount(files));
  expect(await cell("size")).toBe(formatBytes(bytes));
  expect(await cell("problems")).toBe(formatCount(problemCount));
  expect(digest.startsWith(await cell("digest"))).toBe(true);

  await row.getByRole("link", { name: "default" }).click();
  await page.getByRole("heading", { name: "Session default" }).waitFor(WAIT);
  await page.getByText(digest, { exact: true }).waitFor(WAIT);
  await page.getByText("tree from laptop to 2 sinks", { exact: true }).waitFor(WAIT);
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const response = await page.request.get(`/api/v1/sessions/${id}`);
  const { members, started = "" } = (await response.json()) as SessionDetail;
  expect(started).not.toBe("");
  for (const sink of sinks) {
    const outcome = page
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name: sink.name, exact: true }) });
    expect(await outcome.locator("[data-label=outcome]").innerText()).toContain(sink.outcome);
    expect(await outcome.locator("[data-label=files]").innerText()).toBe(formatCount(sink.filesDone));
    expect(await outcome.locator("[data-label=stored]").innerText()).toBe(formatBytes(sink.bytesDone));
    await outcome.getByText("signed").click();
    const { receipt = "" } = members.find(({ name }) => name === sink.name) ?? {};
    expect(await outcome.locator("code").innerText()).toBe(receipt);
  }
  // The same by its address alone, and back again.
  await page.getByRole("link", { name: "All sessions" }).click();
  await row.waitFor(WAIT);
  const linked = await page.context().newPage();
  await linked.goto(new URL(`/sessions/${id}`, page.url()).href);
  await linked.getByText(digest, { exact: true }).waitFor(WAIT);
  // The rate over time, which this page has not seen: the coordinator kept it.
  await linked.getByText(/^mean \S+ \S+\/s, top \S+ \S+\/s in \d+:\d\d$/).waitFor(WAIT);
}
