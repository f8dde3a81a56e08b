import { chmodSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openStore, type Store } from "../../src/coordinator/history/store.ts";
import { WantedStore } from "../../src/coordinator/history/wanted-store.ts";
import type { CopyProgress, SessionSummary } from "../../src/protocol/messages/progress.ts";
import { clientOf, coordinatorOf, stateFolder } from "../coordinator/coordinator-fixture.ts";
import { E2E_MS } from "../e2e/copying.ts";
import { expectAccessible } from "../helpers/browser/accessible.ts";
import { BrowserLab, describeInBrowser, WAIT } from "../helpers/browser/browser-lab.ts";
import { logIn, startWatched } from "../helpers/browser/coordinators.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree } from "../helpers/trees/tree.ts";

/** What is put into a page to look at it has no place in its policy. */
const LOOKED_AT = { bypassCSP: true };
/** A page that hears nothing for 20 s is not connected. */
const LONGER_THAN_SILENCE_MS = 25_000;
const HOUR_MS = 3_600_000;
/** More than the page asks for at once. */
const ENDED = 61;

const PROGRESS: CopyProgress = {
  ...{ filesFound: 3, filesDone: 1, bytesFound: 3_000_000, bytesDone: 1_000_000, discoveryEnded: true },
  ...{
    bytesUnchanged: 0,
    bytesKept: 0,
    bytesSent: 1_000_000,
    bytesSentAgain: 0,
    bytesCaughtUp: 0,
    currentFile: "a file",
  },
  ...{ rateBytesPerSecond: 1000, elapsedMs: 1000 },
};

function summaryOf(result: "complete" | "dry-run", sinkIds: readonly string[]): SessionSummary {
  const outcome = result === "complete" ? "proven" : result;
  return {
    ...{ result, files: 3, directories: 1, symlinks: 0, hardlinks: 0, specials: 0 },
    ...{ notCarried: {}, notCarriedExamples: {}, bytes: 3_000_000, bytesSent: 3_000_000, bytesSentAgain: 0 },
    ...{
      bytesCaughtUp: 0,
      bytesSaved: 0,
      bytesKept: 0,
      bytesNotNeeded: 0,
      filesGrew: 0,
      elapsedMs: 3000,
      problemCount: 0,
    },
    problems: [],
    sinks: sinkIds.map((sinkId) => ({
      ...{ sinkId, name: sinkId, outcome, filesDone: 3, bytesDone: 3_000_000, problemCount: 0, problems: [] },
      ...{ filesUnchanged: 0, bytesUnchanged: 0, bytesKept: 0, entriesChanged: 0, caughtUp: false },
    })),
  };
}

/** A session of the history. */
function keepEnded(store: Store, number: number, at: Date): void {
  const session = { id: `ended${String(number).padStart(7, "0")}`, epoch: 1 };
  store.opened(session, `ended-${number}`, at);
  store.ended(session.id, { at, result: "incomplete" });
}

describeInBrowser("every state of the web page, light and dark, wide and narrow", { timeout: 4 * E2E_MS }, () => {
  test("before and after somebody has logged in, with nothing to show", async () => {
    await using lab = await CliLab.open("guarded");
    await using browser = await BrowserLab.open();
    browser.allow(/status of 401/);
    const coordinator = await startWatched(lab);
    const page = await browser.page(coordinator.url, "/", LOOKED_AT);
    await page.getByLabel("Token").waitFor(WAIT);
    await expectAccessible(page, "locked");
    await logIn(page, "ff1_cut");
    await page.getByRole("alert").waitFor(WAIT);
    await expectAccessible(page, "a wrong token");
    await logIn(page, await coordinator.token("admin"));
    // The whole lines, as somebody can paste them.
    const line = (role: string) => page.locator("code").filter({ hasText: `fanfold ${role} --coordinator` });
    await line("sink")
      .filter({ hasText: /FANFOLD_TOKEN='?ff1_/ })
      .waitFor(WAIT);
    await line("source")
      .filter({ hasText: /FANFOLD_TOKEN='?ff1_/ })
      .waitFor(WAIT);
    await expectAccessible(page, "empty, for an admin");
    await page.getByRole("button", { name: "Log out" }).click();
    await logIn(page, await coordinator.token("observer"));
    await page.getByText("Nothing waits or runs").waitFor(WAIT);
    await expectAccessible(page, "empty, for an observer");
    expect(await page.content()).not.toContain("ff1_");
    await browser.visit(page, coordinator.url, "/sessions/aaaaaaaaaaaa");
    browser.allow(/status of 404/);
    await page.getByText("Nothing is known of this session.").waitFor(WAIT);
    await expectAccessible(page, "a session that is not known");
  });

  test("while a session waits, copies, is asked about, and is over; and when the coordinator is gone", async () => {
    await using lab = await CliLab.open("guarded");
    await using browser = await BrowserLab.open();
    browser.allow(/status of 401|ERR_/);
    const coordinator = await startWatched(lab);
    const { address } = coordinator;
    const page = await browser.page(coordinator.url, "/", LOOKED_AT);
    await logIn(page, await coordinator.token("admin"));
    makeLongTree(lab.path("tree"), { files: 200, mibEach: 1 });
    writeFileSync(lab.path("tree", "closed"), "nobody reads it");
    chmodSync(lab.path("tree", "closed"), 0);
    const names = ["attic", "a-machine-with-a-name-that-is-as-long-as-any-name-may-be-0000000"];
    const sinks = names.map((name) => lab.sink(address, lab.path(name), ["--name", name]));
    const card = page.getByRole("article", { name: "default" });
    await card.getByText("attic", { exact: true }).waitFor(WAIT);
    await expectAccessible(page, "waiting");

    const options = ["--name", "laptop", "--expect", names.join(","), "--bwlimit", "1M"];
    const source = lab.source(address, lab.path("tree"), options, { unprivileged: true });
    await source.event("started");
    await card.getByRole("progressbar", { name: "default is copied" }).waitFor(WAIT);
    await expectAccessible(page, "copying");
    await card.getByRole("link", { name: "default" }).click();
    await page.getByRole("heading", { name: "Session default" }).waitFor(WAIT);
    await expectAccessible(page, "copying, on its own page");
    await page.getByRole("button", { name: "Limit attic" }).click();
    await page.getByRole("dialog").waitFor(WAIT);
    await expectAccessible(page, "a limit is asked for");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Cancel default" }).click();
    await page.getByRole("dialog", { name: "Cancel default?" }).waitFor(WAIT);
    await expectAccessible(page, "a session is to be cancelled");
    await page.keyboard.press("Escape");

    // It need not last any longer.
    await page.getByRole("button", { name: "Limit laptop" }).click();
    await page.getByRole("dialog").getByLabel("Limit", { exact: true }).fill("off");
    await page.getByRole("button", { name: "Set the limit" }).click();
    await source.exit();
    await Promise.all(sinks.map((sink) => sink.exit()));
    await page.getByRole("heading", { name: "Sinks" }).waitFor(WAIT);
    await page.getByText("signed").first().click();
    await expectAccessible(page, "over, on its own page");
    await page.getByRole("link", { name: "All sessions" }).click();
    await page.getByRole("row").filter({ hasText: "laptop" }).waitFor(WAIT);
    await expectAccessible(page, "over");
    // From now on the time of the page can be turned on.
    await page.clock.install();
    await page.reload();
    await page.getByText("live", { exact: true }).waitFor(WAIT);
    await page.getByRole("row").filter({ hasText: "laptop" }).waitFor(WAIT);
    // It stands still: connections stay, and nothing comes.
    coordinator.process.signal("SIGSTOP");
    await page.clock.fastForward(LONGER_THAN_SILENCE_MS);
    await page.getByRole("alert").waitFor(WAIT);
    await expectAccessible(page, "not connected");
    coordinator.process.signal("SIGCONT");
    await page.getByText("live", { exact: true }).waitFor(WAIT);
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("with a copy that is missed, a dry run, a pause, a sink that is away, many sinks and a long history", async () => {
    await using browser = await BrowserLab.open();
    const stateDir = await stateFolder();
    const hourAgo = new Date(Date.now() - HOUR_MS);
    {
      using store: Store = await openStore(stateDir, hourAgo);
      for (let number = 1; number <= ENDED; number += 1) keepEnded(store, number, hourAgo);
      new WantedStore(store.database).put({ session: "nightly", withinMs: HOUR_MS / 2, since: hourAgo });
    }
    const wants = [{ session: "nightly", withinMs: HOUR_MS / 2 }];
    const coordinator = await coordinatorOf({ stateDir, wants });
    const enter = async (role: "source" | "sink", session: string, more: object = {}) => {
      const client = await clientOf(coordinator);
      const welcome = await client.enter(role, { session, label: `${role}-of-${session}`, ...more });
      return { client, id: welcome.member.id };
    };
    const sinks = [];
    for (let number = 1; number <= 12; number += 1)
      sinks.push(await enter("sink", "nightly", { label: `disk-${String(number).padStart(2, "0")}` }));
    const nightly = await enter("source", "nightly", { destCount: 12 });
    const compared = await enter("sink", "trial");
    const trial = await enter("source", "trial", { dryRun: true });
    await enter("sink", "halted");
    const halted = await enter("source", "halted");
    await expect
      .poll(() => coordinator.sessions().map(({ state }) => state))
      .toEqual(["running", "running", "running"]);
    halted.client[Symbol.dispose]();
    sinks[11]?.client[Symbol.dispose]();
    nightly.client.raw(JSON.stringify({ type: "progress", progress: PROGRESS }));

    const page = await browser.page(`127.0.0.1:${coordinator.port}`, "/", LOOKED_AT);
    const card = (name: string) => page.getByRole("article", { name });
    const missed = page.getByRole("region", { name: "Missed" });
    await missed.getByRole("rowheader", { name: "nightly" }).waitFor(WAIT);
    await missed.getByText("no whole copy in 30 min 00 s").waitFor(WAIT);
    await card("trial").getByText("comparing", { exact: true }).first().waitFor(WAIT);
    await card("halted").getByText("paused", { exact: true }).first().waitFor(WAIT);
    // Its sink does not seem to receive anything.
    const idle = card("halted").getByRole("listitem");
    await idle.getByText("paused", { exact: true }).waitFor(WAIT);
    await idle.getByText("waits for source-of-halted to come back").waitFor(WAIT);
    const rows = card("nightly").getByRole("listitem");
    // Who is in trouble comes first, and so stays in sight.
    await rows.first().getByText("disk-12").waitFor(WAIT);
    await rows.first().getByText("away", { exact: true }).waitFor(WAIT);
    expect(await rows.count()).toBe(8);
    const older = page.getByRole("button", { name: "Load older sessions" });
    await older.waitFor(WAIT);
    await expectAccessible(page, "missed, comparing, paused, away, folded, and a long history");

    await card("nightly").getByRole("button", { name: "Show 4 more sinks" }).click();
    await rows.nth(11).waitFor(WAIT);
    await card("nightly").getByRole("button", { name: "Show fewer sinks" }).click();
    await expect.poll(() => rows.count(), WAIT).toBe(8);

    await older.click();
    await page.getByRole("button", { name: /^Show 5\d more sessions$/ }).click();
    await page.getByRole("rowheader", { name: "ended-1", exact: true }).waitFor(WAIT);
    expect(await page.getByRole("rowheader", { name: /^ended-/ }).count()).toBe(ENDED);
    expect(await older.count()).toBe(0);

    trial.client.raw(JSON.stringify({ type: "finished", summary: summaryOf("dry-run", [compared.id]) }));
    const ended = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "trial", exact: true }) });
    await ended.getByText("dry run", { exact: true }).waitFor(WAIT);
    const all = sinks.map(({ id }) => id);
    nightly.client.raw(JSON.stringify({ type: "finished", summary: summaryOf("complete", all) }));
    await missed.waitFor({ ...WAIT, state: "detached" });
    await page.getByRole("log").getByText("nightly: has a whole copy again").waitFor(WAIT);
  });
});
