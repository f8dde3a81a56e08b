import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { MARKER } from "../syncthing/configuration.ts";
import { Device, type FolderStatus, homeAt } from "../syncthing/device.ts";
import type { Contender, Entrant, Job } from "./contender.ts";
import { freePorts } from "./ports.ts";
import { versionOf } from "./program.ts";

const NAME = "syncthing";

/**
 * One device with a folder that it only sends, and one for each copy that only receives, connected to the first alone. The
 * clock runs from when the first begins to look through its folder, all others connected, until each other has all of it.
 * Where the copy is made again, all know all: the clock runs while every device looks through its folder once more.
 */
const syncthing: Contender = {
  name: NAME,
  lacks: { timesOfFilesOnly: true },
  async run(job: Job, meter) {
    await using started = new AsyncDisposableStack();
    const { source, sinks } = await connect(job, started);
    meter.watch("source", source.pid);
    for (const sink of sinks) meter.watch("sink", sink.pid);
    if (job.again) await copy(source, sinks);
    const sentBefore = await source.sentBytes();
    meter.start();
    if (job.again) await lookAgain(source, sinks);
    else await copy(source, sinks);
    const usage = await meter.stop();
    const sentBytes = (await source.sentBytes()) - sentBefore;
    await started.disposeAsync();
    for (const folder of job.copies) rmSync(join(folder, MARKER), { recursive: true, force: true });
    return { ...usage, sentBytes };
  },
};

export function enterSyncthing(): Entrant {
  const version = versionOf("syncthing");
  if (version === undefined) return { name: NAME, missing: "not installed" };
  return { contender: syncthing, version: `${version}; it carries no times of directories and symbolic links` };
}

interface Devices {
  readonly source: Device;
  readonly sinks: readonly Device[];
}

/** Devices that run and are connected, and know nothing of the source's folder yet. */
async function connect(
  { source, copies, scratch, again, signal }: Job,
  started: AsyncDisposableStack,
): Promise<Devices> {
  const folders = [source, ...copies];
  const ports = await freePorts(folders.length * 2);
  const members = folders.map((folder, index) => {
    const name = index === 0 ? "source" : `sink-${index}`;
    const home = homeAt(homeFolder(scratch, name));
    const [port = 0, apiPort = 0] = ports.slice(index * 2);
    return { name, folder, home, port, apiPort };
  });
  const [first, ...others] = members;
  if (first === undefined) throw new Error("want a source");
  // What is in the source serves as a marker there: nothing may be added.
  const [own = MARKER] = readdirSync(source).sort();
  const start = async (member: typeof first, isSource: boolean): Promise<Device> => {
    const { name, folder, home, port, apiPort } = member;
    const device = await Device.start(home, {
      role: isSource ? "source" : "sink",
      folder,
      marker: isSource || again ? own : MARKER,
      port,
      apiPort,
      peers: isSource ? others.map((other) => ({ id: other.home.id })) : [{ id: first.home.id, port: first.port }],
      logPath: join(scratch, `syncthing-${name}.log`),
      signal,
    });
    return started.use(device);
  };
  const device = await start(first, true);
  const sinks = await Promise.all(others.map((other) => start(other, false)));
  await device.until(async () => (await device.connected()) === sinks.length);
  return { source: device, sinks };
}

function homeFolder(scratch: string, name: string): string {
  const folder = join(scratch, `syncthing-${name}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function copy(source: Device, sinks: readonly Device[]): Promise<void> {
  await source.unpause();
  await source.until((news) =>
    news.some(({ type, data }) => type === "StateChanged" && data.from === "scanning" && data.to === "idle"),
  );
  await allHave(await source.status(), sinks);
}

async function lookAgain(source: Device, sinks: readonly Device[]): Promise<void> {
  await Promise.all([source, ...sinks].map((device) => device.rescan()));
  await allHave(await source.status(), sinks);
}

async function allHave(wanted: FolderStatus, sinks: readonly Device[]): Promise<void> {
  await Promise.all(sinks.map((sink) => sink.until(async () => isWhole(await sink.status(), wanted))));
}

/** It may have more: what fanfold's sinks keep beside their copies. */
function isWhole({ state, ...found }: FolderStatus, wanted: FolderStatus): boolean {
  return (
    state === "idle" &&
    found.needTotalItems === 0 &&
    found.globalTotalItems === wanted.localTotalItems &&
    found.globalBytes === wanted.localBytes
  );
}
