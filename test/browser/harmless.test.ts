import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { SessionSummary } from "../../src/protocol/messages/progress.ts";
import { ControlClient } from "../coordinator/control-client.ts";
import { coordinatorOf } from "../coordinator/coordinator-fixture.ts";
import { E2E_MS } from "../e2e/copying.ts";
import { BrowserLab, describeInBrowser, WAIT } from "../helpers/browser/browser-lab.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { permissionsTestable } from "../helpers/processes/programs.ts";
import { makeLongFile } from "../helpers/trees/tree.ts";

/** Compressed, as a browser gets them at its first visit. */
const PAGE_BYTES_MAX = 60 * 1024;
const MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>";
/** It turns what follows around; a terminal would take the next as an order. */
const TURNED = "\u202Egnp.exe\u2066\u200B";
const ORDER = "\u001B]0;owned\u0007\u001B[2J";

describeInBrowser("what the web page loads and shows", { timeout: 2 * E2E_MS }, () => {
  test("weighs less than 60 KiB in all, and comes from its coordinator alone", async () => {
    await using lab = await CliLab.open("open");
    await using browser = await BrowserLab.open();
    const { address } = await lab.coordinator();
    const context = await browser.context();
    const page = await context.newPage();
    const wire = await context.newCDPSession(page);
    await wire.send("Network.enable");
    const files = new Map<string, string>();
    const bytes = new Map<string, number>();
    wire.on("Network.responseReceived", ({ requestId, response }) => {
      const { pathname } = new URL(response.url);
      if (!pathname.startsWith("/api/")) files.set(requestId, pathname);
    });
    wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => bytes.set(requestId, encodedDataLength));
    await browser.visit(page, address);
    await page.getByText("Nothing waits or runs").waitFor(WAIT);
    // The browser asks for the icon by itself, when it has the rest, or not at all.
    const icon = new URL((await page.locator("link[rel=icon]").getAttribute("href")) ?? "", page.url());
    const { headers } = await fetch(icon, { headers: { "accept-encoding": "br" } });
    await expect.poll(() => [...files].filter(([id]) => !bytes.has(id)), WAIT).toEqual([]);
    const whole = [...files.keys()].reduce((sum, id) => sum + (bytes.get(id) ?? 0), 0);
    expect([...files.values()]).toEqual(
      expect.arrayContaining(["/", expect.stringMatching(/\.js$/), expect.stringMatching(/\.css$/)]),
    );
    expect(whole).toBeGreaterThan(5 * 1024);
    expect(whole + Number(headers.get("content-length"))).toBeLessThan(PAGE_BYTES_MAX);
  });

  test("may run no script but its own, and be shown in no frame", async () => {
    await using lab = await CliLab.open("open");
    const { address } = await lab.coordinator();
    for (const path of ["/", "/sessions/aaaaaaaaaaaa"]) {
      const response = await fetch(`http://${address}${path}`);
      const policy = (response.headers.get("content-security-policy") ?? "").split("; ");
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "connect-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
          "frame-ancestors 'none'",
          "require-trusted-types-for 'script'",
        ]),
      );
      expect(policy.join(" ")).not.toMatch(/unsafe|data:|blob:|https?:|\*/);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      const text = await response.text();
      expect(text).not.toMatch(/<style|style=|javascript:|\son\w+=/);
      expect(text.match(/<script/g)).toHaveLength(1);
      for (const [, address] of text.matchAll(/(?:src|href)="([^"]*)"/g)) expect(address).toMatch(/^\/web\/[\w.-]+$/);
    }
  });

  test("is text, whatever names a folder, a source and a sink have", async () => {
    await using lab = await CliLab.open("open");
    await using browser = await BrowserLab.open();
    const { address } = await lab.coordinator();
    const page = await browser.page(address);
    const root = "<u>tree";
    const tree = lab.path(root);
    const name = `${MARKUP.replaceAll("/", "\u2215")}${TURNED}${ORDER}`;
    const deep = Array.from({ length: 14 }, (_, index) => `${index}<b>${"x".repeat(240)}`).join("/");
    mkdirSync(lab.path(root, deep), { recursive: true });
    makeLongFile(lab.path(root, deep, "a <u>file"), 1);
    makeLongFile(lab.path(root, name), 2);
    writeFileSync(lab.path(root, `closed ${name}`), "nobody reads it");
    chmodSync(lab.path(root, `closed ${name}`), 0);

    const label = "<script>alert(3)</script>";
    const sink = lab.sink(address, lab.path("copy"), ["--name", label]);
    const source = lab.source(address, tree, ["--name", `<b>${label}`, "--bwlimit", "100K"], { unprivileged: true });
    const card = page.getByRole("article", { name: "default" });
    await card.getByText(label, { exact: true }).waitFor(WAIT);
    await card.getByText(`${root} from`).waitFor(WAIT);
    const shown = card.getByText(MARKUP.replaceAll("/", "\u2215")).first();
    await shown.waitFor(WAIT);
    await expectHarmless(await shown.innerText());
    await lab.unlimit(address);
    // Where nobody is held to permissions, there is nothing that cannot be read.
    const hasProblem = permissionsTestable();
    expect([await source.exit(), await sink.exit()]).toEqual([hasProblem ? 3 : 0, 0]);

    const row = page.getByRole("row").filter({ hasText: `<b>${label}` });
    await row.getByRole("link", { name: "default" }).click();
    await page.getByRole("rowheader", { name: label, exact: true }).waitFor(WAIT);
    if (hasProblem)
      await page
        .getByText(`closed ${MARKUP.slice(0, 8)}`)
        .first()
        .waitFor(WAIT);
    await expectHarmless(await page.locator("main").innerText());
    expect(await page.locator("main").locator("img, script, b b, u").count()).toBe(0);
  });

  test("is text, whatever members say that do not keep to the protocol", async () => {
    await using browser = await BrowserLab.open();
    const coordinator = await coordinatorOf();
    const address = `127.0.0.1:${coordinator.port}`;
    using sink = await ControlClient.connect(coordinator.port);
    await sink.enter("sink", { session: "lies", label: "<i>sink" });
    using source = await ControlClient.connect(coordinator.port);
    await source.enter("source", { session: "lies", label: "<i>source", destCount: 1 });
    const page = await browser.page(address);
    const card = page.getByRole("article", { name: "lies" });
    await card.getByText("<i>sink", { exact: true }).waitFor(WAIT);

    const file = `${MARKUP}${TURNED}${ORDER}`.padEnd(4096, "<p>");
    source.raw(JSON.stringify({ type: "progress", progress: progressWith(file) }));
    const shown = card.getByText(MARKUP).first();
    await shown.waitFor(WAIT);
    await expectHarmless(await shown.innerText());
    expect((await shown.innerText()).length).toBeGreaterThan(4000);
    const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    expect(wide).toBeLessThanOrEqual(0);

    source.raw(JSON.stringify({ type: "finished", summary: summaryWith(file) }));
    await page.getByRole("row").filter({ hasText: "<i>source" }).getByRole("link", { name: "lies" }).click();
    await page.getByText(MARKUP).first().waitFor(WAIT);
    await expectHarmless(await page.locator("main").innerText());
    expect(await page.locator("main").locator("img, script, p p, i").count()).toBe(0);
    await browser.expectDocumented(page);
  });
});

/** What turns text around or orders a terminal is not in it. Lines of the page's own are. */
async function expectHarmless(text: string): Promise<void> {
  expect(text.replace(/[\n\t]/g, "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
}

function progressWith(currentFile: string) {
  return {
    ...{ filesFound: 3, filesDone: 1, bytesFound: 3_000_000, bytesDone: 1_000_000, discoveryEnded: true },
    ...{ bytesUnchanged: 0, bytesKept: 0, bytesSent: 1_000_000, bytesSentAgain: 0, bytesCaughtUp: 0, currentFile },
    ...{ rateBytesPerSecond: 1000, elapsedMs: 1000 },
  };
}

function summaryWith(text: string): SessionSummary {
  const problem = { path: text, kind: "unreadable", message: text.slice(0, 2000) };
  return {
    ...{ result: "incomplete", files: 3, directories: 1, symlinks: 0, hardlinks: 0, specials: 0 },
    ...{ notCarried: {}, notCarriedExamples: {}, bytes: 3_000_000, bytesSent: 3_000_000, bytesSentAgain: 0 },
    ...{
      bytesCaughtUp: 0,
      bytesSaved: 0,
      bytesKept: 0,
      bytesNotNeeded: 0,
      filesGrew: 0,
      elapsedMs: 3000,
      problemCount: 1,
    },
    problems: [problem],
    sinks: [
      {
        ...{ sinkId: text.slice(0, 16), name: text.slice(0, 256), outcome: "incomplete", code: "incomplete" },
        ...{ message: text.slice(0, 4000), filesDone: 3, bytesDone: 3_000_000, problemCount: 1, problems: [problem] },
        ...{ filesUnchanged: 0, bytesUnchanged: 0, bytesKept: 0, entriesChanged: 0, caughtUp: false },
      },
    ],
  };
}
