import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { abortable } from "../../src/lib/async/abort.ts";
import type { Contender, Entrant, Job } from "./contender.ts";
import { freePorts, HOST, listening } from "./ports.ts";
import { Program, versionOf } from "./program.ts";

const NAME = "tar, mbuffer";
/** Its own blocks of 4 MiB make it slower here. */
const BUFFER = "-q -s 256k -m 16M";

/** One tar that reads, one mbuffer that sends to all, and at each copy an mbuffer that receives and a tar that writes. */
const mbuffer: Contender = {
  name: NAME,
  suits: (workload) => workload !== "nochange",
  async run({ source, copies, scratch, signal }: Job, meter) {
    const ports = await freePorts(copies.length);
    await using started = new AsyncDisposableStack();
    const receivers = copies.map((copy, index) => {
      const pipe = `mbuffer ${BUFFER} -I ${ports[index]} | tar -xpf - -C "$1"`;
      const program = started.use(start(pipe, copy, join(scratch, `receiver-${index}.log`)));
      meter.watch("receiver", program.pid);
      return program;
    });
    const all = Promise.all(ports.map((port) => listening(port, signal)));
    await abortable(Promise.race([all, ...receivers.map((receiver) => receiver.failed())]), signal);
    const outputs = ports.map((port) => `-O ${HOST}:${port}`).join(" ");
    meter.start();
    const sender = started.use(
      start(`tar -cf - -C "$1" . | mbuffer ${BUFFER} ${outputs}`, source, join(scratch, "sender.log")),
    );
    meter.watch("sender", sender.pid);
    await Promise.all([sender, ...receivers].map((program) => program.succeeded(signal)));
    return { ...(await meter.stop()), sentBytes: archiveBytes(source) * copies.length };
  },
};

export function enterMbuffer(): Entrant {
  const [mine, tar, bash] = ["mbuffer", "tar", "bash"].map((name) => versionOf(name));
  if (mine === undefined || tar === undefined || bash === undefined)
    return { name: NAME, missing: `${mine === undefined ? "mbuffer" : "tar or bash"} is not installed` };
  return { contender: mbuffer, version: `mbuffer ${mine}, tar ${tar}` };
}

/** A pipe, of which every part must end well; its folder is an argument, whatever its name is. */
function start(pipe: string, folder: string, logPath: string): Program {
  return Program.start("bash", ["-o", "pipefail", "-c", pipe, "bash", folder], logPath);
}

/** What went over each connection. */
function archiveBytes(source: string): number {
  const { stdout } = spawnSync("bash", ["-c", 'tar -cf - -C "$1" . | wc -c', "bash", source], { encoding: "utf8" });
  return Number(stdout);
}
