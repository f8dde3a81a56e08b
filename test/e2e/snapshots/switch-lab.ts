import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { CliLab, type RunningCoordinator } from "../../helpers/processes/cli.ts";
import type { SinkProcess, SourceProcess } from "../copying.ts";

const SETTLED_MS = 120_000;

/** A fleet that keeps snapshots: a source, a coordinator that can be started again, and sinks that stay. */
export class SwitchLab implements AsyncDisposable {
  readonly lab: CliLab;
  readonly from: string;
  readonly names: readonly string[];
  readonly sinks = new Map<string, SinkProcess>();
  coordinator: RunningCoordinator;

  private constructor(lab: CliLab, coordinator: RunningCoordinator, names: readonly string[]) {
    this.lab = lab;
    this.from = lab.path("source");
    this.names = names;
    this.coordinator = coordinator;
  }

  static async open(names: readonly string[]): Promise<SwitchLab> {
    const lab = await CliLab.open();
    const made = new SwitchLab(lab, await lab.coordinator(), names);
    mkdirSync(made.from);
    made.change();
    for (const name of names) await made.sink(name);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
  }

  /** Another state of the tree, with enough in it to take a moment. */
  change(): void {
    for (let index = 0; index < 20; index += 1)
      writeFileSync(join(this.from, `file-${index}`), `${index} ${Math.random()} `.repeat(2000));
  }

  /** Starts a sink, also one that was killed. */
  async sink(name: string, args: readonly string[] = ["--snapshots"]): Promise<SinkProcess> {
    const sink = this.lab.sink(this.coordinator.address, this.folder(name), ["--stay", "--name", name, ...args]);
    this.sinks.set(name, sink);
    await sink.event("waiting");
    return sink;
  }

  source(...args: readonly string[]): SourceProcess {
    return this.lab.source(this.coordinator.address, this.from, ["--dest-count", String(this.names.length), ...args]);
  }

  async coordinatorAgain(): Promise<void> {
    const port = Number(this.coordinator.address.replace(/^.*:/, ""));
    this.coordinator = await this.lab.coordinator({ port });
  }

  folder(name: string): string {
    return this.lab.path(name);
  }

  latest(name: string): string | undefined {
    const link = join(this.folder(name), "latest");
    return existsSync(link) ? readlinkSync(link) : undefined;
  }

  snapshots(name: string): string[] {
    return readdirSync(this.folder(name)).filter((each) => /^\d{4}-/.test(each));
  }

  /** Digest of the tree that `latest` leads to. */
  digest(name: string): string | undefined {
    const latest = this.latest(name);
    if (latest === undefined) return undefined;
    const facts = join(this.folder(name), ".fanfold/snapshots", latest, "snapshot.json");
    return String((JSON.parse(readFileSync(facts, "utf8")) as { readonly digest: string }).digest);
  }

  isPending(name: string): boolean {
    return existsSync(join(this.folder(name), ".fanfold/pending"));
  }

  /** Until no sink waits for a decision any more. */
  async settled(): Promise<void> {
    const waits = (): string[] => this.names.filter((name) => this.isPending(name));
    await vi.waitFor(
      () => {
        if (waits().length > 0) throw new Error(`They still wait: ${waits().join(", ")}`);
      },
      { timeout: SETTLED_MS, interval: 50 },
    );
  }
}
