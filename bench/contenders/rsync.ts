import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { abortable } from "../../src/lib/async/abort.ts";
import type { Contender, Entrant, Job } from "./contender.ts";
import { freePorts, HOST, listening } from "./ports.ts";
import { Program, versionOf } from "./program.ts";

/** Its name in tables. */
export const RSYNC = "rsync daemon";

/** Programs that start it, as in `ip netns exec NAME`; and where the daemon listens. */
export interface RsyncPlace {
  readonly host: string;
  readonly daemon: readonly string[];
  readonly client: (index: number) => readonly string[];
}

const HERE: RsyncPlace = { host: HOST, daemon: [], client: () => [] };

/**
 * A daemon, and as many clients as there are copies pulling from it at once: whole files, unless the copy is made again, or
 * is to be made of older versions.
 */
function rsync({ host, daemon: daemonBy, client: clientBy }: RsyncPlace, isDelta: boolean): Contender {
  return {
    name: RSYNC,
    async run({ source, copies, scratch, again, deletes = false, signal }: Job, meter) {
      const [port = 0] = await freePorts(1);
      const config = join(scratch, "rsyncd.conf");
      writeFileSync(config, configuration(source));
      await using started = new AsyncDisposableStack();
      const start = (by: readonly string[], args: readonly string[], log: string): Program => {
        const [command = "", ...rest] = [...by, "rsync", ...args];
        return started.use(Program.start(command, rest, log, { name: "rsync" }));
      };
      const daemonArgs = ["--daemon", "--no-detach", `--address=${host}`, `--port=${port}`, `--config=${config}`];
      const daemon = start(daemonBy, daemonArgs, join(scratch, "rsyncd.log"));
      await abortable(Promise.race([listening(port, signal, daemon.pid), daemon.failed()]), signal);
      meter.watch("daemon", daemon.pid);
      meter.start();
      const logs = copies.map((_, index) => join(scratch, `rsync-${index}.log`));
      const clients = copies.map((copy, index) => {
        const how = [
          again || isDelta ? "-a" : "-aW",
          ...(isDelta ? ["--no-whole-file"] : []),
          ...(deletes ? ["--delete"] : []),
        ];
        const args = [...how, "--stats", "--port", `${port}`, `rsync://${host}/src/`, `${copy}/`];
        const client = start(clientBy(index), args, logs[index] ?? "");
        meter.watch("client", client.pid);
        return client;
      });
      await Promise.all(clients.map((client) => client.succeeded(signal)));
      return { ...(await meter.stop()), sentBytes: sentBytes(logs) };
    },
  };
}

/** @param isDelta whether it sends of a file that changed what the copy lacks, as it does over a network by itself */
export function enterRsync(place = HERE, isDelta = false): Entrant {
  const version = versionOf("rsync");
  return version === undefined
    ? { name: RSYNC, missing: "not installed" }
    : { contender: rsync(place, isDelta), version };
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
