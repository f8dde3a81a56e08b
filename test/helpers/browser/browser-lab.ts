import { existsSync } from "node:fs";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Response,
} from "playwright-core";
import { describe, expect } from "vitest";
import { OpenApi, type ToldAnswer } from "../openapi.ts";

/** As Debian installs it. */
const PROGRAM = "/usr/bin/chromium";
const IS_THERE = existsSync(PROGRAM);
if (!IS_THERE && process.env["CI"] !== undefined) throw new Error(`${PROGRAM} is not there, and CI wants it`);
if (!IS_THERE)
  console.warn(`SKIPPED: tests in a real browser, because ${PROGRAM} is not there: apt-get install chromium`);

/** Tests that need a real browser. */
export const describeInBrowser = describe.skipIf(!IS_THERE);

/** For what a page shows: a small machine may do several other things. A test that works never waits for it. */
export const WAIT = { timeout: 90_000 };

/** The page itself tells of each thing that its policy forbids. */
const TELL_OF_POLICY = `addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error("the policy of the page forbids", violatedDirective, blockedURI));`;

/**
 * The system's Chromium, and the pages of one test. At its end the test fails when a page complained of something that was
 * not allowed before, broke its policy, or asked another host than its own.
 */
export class BrowserLab implements AsyncDisposable {
  /** Errors and warnings of the console, of scripts, and of the policy of a page. */
  readonly complaints: string[] = [];
  /** Where pages asked for something. */
  readonly asked = new Set<string>();
  readonly #browser: Browser;
  readonly #opened = new Set<string>();
  readonly #allowed: RegExp[] = [];
  readonly #answers: Promise<ToldAnswer | undefined>[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async open(more: readonly string[] = []): Promise<BrowserLab> {
    const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    return new BrowserLab(await chromium.launch({ executablePath: PROGRAM, args: [...args, ...more] }));
  }

  /** A browser of its own: no cookie of another one. The coordinator's own certificate is taken. */
  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ ignoreHTTPSErrors: true, ...options });
    await context.addInitScript(TELL_OF_POLICY);
    context.on("page", (page) => this.#watch(page));
    return context;
  }

  /** Opens a page. `address`: what a coordinator says to type at `--coordinator`. */
  async page(address: string, path = "/", options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await this.context({ baseURL: urlOf(address), ...options })).newPage();
    await this.visit(page, address, path);
    return page;
  }

  async visit(page: Page, address: string, path = "/"): Promise<void> {
    this.#opened.add(new URL(urlOf(address)).origin);
    await page.goto(urlOf(address, path));
  }

  /** What a test brings about: a refusal of the coordinator, say, of which the browser tells in its console. */
  allow(complaint: RegExp): void {
    this.#allowed.push(complaint);
  }

  /** Fails unless every answer of the API that pages got, but for streams, is as its own document says. */
  async expectDocumented(page: Page): Promise<void> {
    const api = new OpenApi(await (await page.request.get("/api/v1/openapi.json")).json());
    const answers = (await Promise.all(this.#answers)).filter((answer) => answer !== undefined);
    expect(answers.length).toBeGreaterThan(0);
    for (const answer of answers) api.expectAnswer(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    const found = this.complaints.filter((text) => !this.#allowed.some((allowed) => allowed.test(text)));
    const foreign = [...this.asked].filter((origin) => !this.#opened.has(origin));
    if (found.length > 0) throw new Error(`The page complained:\n${found.join("\n")}`);
    if (foreign.length > 0) throw new Error(`The page asked others than its coordinator: ${foreign.join(", ")}`);
  }

  #watch(page: Page): void {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("request", (request) => this.asked.add(new URL(request.url()).origin));
    page.on("websocket", (socket) => this.asked.add(new URL(socket.url()).origin));
    page.on("response", (response) => this.#answers.push(toldAnswer(response)));
    page.on("dialog", (dialog) => {
      this.complaints.push(`a script opened a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }
}

async function toldAnswer(response: Response): Promise<ToldAnswer | undefined> {
  const { pathname, search } = new URL(response.url());
  const type = response.headers()["content-type"] ?? "";
  if (!pathname.startsWith("/api/") || !/json/.test(type)) return undefined;
  try {
    const body: unknown = await response.json();
    return { method: response.request().method(), path: `${pathname}${search}`, status: response.status(), type, body };
  } catch {
    // The page was closed while it came.
    return undefined;
  }
}

export function urlOf(address: string, path = "/"): string {
  return new URL(path, address.includes("://") ? address : `http://${address}`).href;
}
