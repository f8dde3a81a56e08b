import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { abortable, throwIfAborted } from "../../src/lib/abort.ts";
import type { Contender, Entrant, Job } from "./contender.ts";
import { freePorts, HOST } from "./ports.ts";
import { Program, versionOf } from "./program.ts";

/** A daemon, and as many clients as there are copies pulling from it at once: whole files, unless the copy is made again. */
const rsync: Contender = {
  name: "rsync daemon",
  async run({ source, copies, scratch, again, signal }: Job, meter) {
    const [port = 0] = await freePorts(1);
    const config = join(scratch, "rsyncd.conf");
    writeFileSync(config, configuration(source));
    await using started = new AsyncDisposableStack();
    const daemon = started.use(
      Program.start(
        "rsync",
        ["--daemon", "--no-detach", `--address=${HOST}`, `--port=${port}`, `--config=${config}`],
        join(scratch, "rsyncd.log"),
      ),
    );
    await abortable(Promise.race([greeting(port, signal), daemon.failed()]), signal);
    meter.watch("daemon", daemon.pid);
    meter.start();
    const logs = copies.map((_, index) => join(scratch, `rsync-${index}.log`));
    const clients = copies.map((copy, index) => {
      const args = [again ? "-a" : "-aW", "--stats", "--port", `${port}`, `rsync://${HOST}/src/`, `${copy}/`];
      const client = started.use(Program.start("rsync", args, logs[index] ?? ""));
      meter.watch("client", client.pid);
      return client;
    });
    await Promise.all(clients.map((client) => client.succeeded(signal)));
    return { ...(await meter.stop()), sentBytes: sentBytes(logs) };
  },
};

export function enterRsync(): Entrant {
  const version = versionOf("rsync");
  return version === undefined ? { name: rsync.name, missing: "not installed" } : { contender: rsync, version };
}

/** A daemon that root started would otherwise read as nobody, and miss what nobody may not read. */
function configuration(source: string): string {
  const user = process.getuid?.() === 0 ? "uid = 0\ngid = 0\n" : "";
  return `use chroot = no\nreverse lookup = no\n${user}[src]\npath = ${source}\nread only = yes\n`;
}

/** What the clients received, by their own statistics. */
function sentBytes(logs: readonly string[]): number {
  const found = logs.map((log) => /^Total bytes received: ([\d,]+)/m.exec(readFileSync(log, "utf8"))?.[1] ?? "");
  return found.reduce((sum, bytes) => sum + Number(bytes.replaceAll(",", "")), 0);
}

async function greeting(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    throwIfAborted(signal);
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, HOST);
      socket.on("data", () => {
        resolve(true);
        socket.destroy();
      });
      socket.on("error", () => resolve(false));
      socket.on("close", () => resolve(false));
    });
    if (answered) return;
    await delay(20, undefined, { signal });
  }
}
