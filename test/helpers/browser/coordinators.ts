import type { BrowserContextOptions, Page } from "playwright-core";
import { atLocalDesk } from "../../../src/cli/operator/local-desk.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { CliLab, RunningCoordinator } from "../processes/cli.ts";
import { type BrowserLab, WAIT } from "./browser-lab.ts";

export type Looker = "observer" | "admin";

/** A coordinator that asks for tokens, as people who look at it know it. */
export interface WatchedCoordinator extends RunningCoordinator {
  readonly url: string;
  readonly port: number;
  /** A new token for a person. */
  token(role: Looker): Promise<string>;
}

interface WatchedStart {
  readonly broker?: string;
  readonly port?: number;
}

/** The lab has to be one with `guarded` access: its members get their tokens from there. */
export async function startWatched(lab: CliLab, start: WatchedStart = {}): Promise<WatchedCoordinator> {
  const stateDir = lab.path("coordinator");
  const running = await lab.coordinator({ ...start, args: ["--state-dir", stateDir] });
  const port = Number(/:(\d+)$/.exec(running.address)?.[1]);
  return {
    ...running,
    port,
    url: `https://127.0.0.1:${port}`,
    token: async (role) => {
      const { signal } = new AbortController();
      return await atLocalDesk({ stateDir, client: undefined, io: { clock: systemClock }, signal }, async (desk) => {
        return (await desk.createToken({ role })).token;
      });
    },
  };
}

/** Opens the page of a coordinator, and logs in. */
export async function pageFor(
  role: Looker,
  { browser, coordinator }: { readonly browser: BrowserLab; readonly coordinator: WatchedCoordinator },
  options: BrowserContextOptions = {},
): Promise<Page> {
  const page = await browser.page(coordinator.url, "/", options);
  await logIn(page, await coordinator.token(role));
  await page.getByText(role, { exact: true }).waitFor(WAIT);
  return page;
}

export async function logIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}
