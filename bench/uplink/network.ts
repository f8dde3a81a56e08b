import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Place } from "../contenders/crew.ts";

/** Larger than what the kernel hands a device at once, so that nothing is cut up and the rate is kept. */
const BURST = "256kb";
/** What waits at the link before it is dropped: a router's queue. */
const QUEUE = "50ms";
const SUBNET = "10.213.77";
const LINK = "eth0";
const PREFIX = "fanfold-bench";

/** A machine of the network: a namespace, its address, and the command that runs a program in it. */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly run: readonly string[];
}

/**
 * Machines that are network namespaces, each with a cable to one switch: a source, a relay and sinks. Cables carry what
 * the machine can, but for the source's, which may carry only so many Mbit/s in each direction. Needs root, iproute2 and,
 * for that limit, the kernel's tbf. Nothing outside of the namespaces is touched.
 */
export class Network implements Disposable {
  readonly source: Host;
  readonly relay: Host;
  readonly sinks: readonly Host[];
  readonly #names: string[] = [];

  private constructor(sinks: number) {
    const host = (role: string, number: number): Host => {
      const name = this.#name(role);
      return { name, address: `${SUBNET}.${number}`, run: ["ip", "netns", "exec", name] };
    };
    this.source = host("source", 1);
    this.relay = host("relay", 2);
    this.sinks = Array.from({ length: sinks }, (_, index) => host(`sink${index + 1}`, index + 3));
  }

  /** @throws Error that says what is missing */
  static open(sinks: number, mbits?: number): Network {
    if (process.getuid?.() !== 0) throw new Error("network namespaces need root: run this as root, or with sudo -E");
    for (const [command, option] of [
      ["ip", "-V"],
      ["tc", "-V"],
    ] as const)
      if (spawnSync(command, [option]).status !== 0)
        throw new Error(`"${command}" is not installed: install iproute2 (apt install iproute2)`);
    removeLeftOvers();
    const network = new Network(sinks);
    try {
      network.#build(mbits);
      return network;
    } catch (thrown) {
      network[Symbol.dispose]();
      throw thrown;
    }
  }

  /** Where the roles of a copy run: the coordinator with its relay beyond the scarce link. */
  get place(): Place {
    const { source, relay, sinks } = this;
    return {
      host: relay.address,
      coordinator: relay.run,
      source: source.run,
      sink: (index) => sinks[index]?.run ?? [],
    };
  }

  /**
   * What has left the source over its cable, with headers: of packets as the kernel hands them to the device, which are larger than what a
   * real one sends.
   */
  sentBytes(): number {
    const [link]: { stats64: { tx: { bytes: number } } }[] = JSON.parse(
      run("ip", ["-n", this.source.name, "-s", "-j", "link", "show", "dev", LINK]),
    );
    return link?.stats64.tx.bytes ?? 0;
  }

  /** Cables go with the namespaces that they end in. */
  [Symbol.dispose](): void {
    for (const name of this.#names.splice(0)) spawnSync("ip", ["netns", "delete", name]);
  }

  #build(mbits: number | undefined): void {
    const hub = this.#name("switch");
    this.#add(hub);
    run("ip", ["-n", hub, "link", "add", "bridge", "type", "bridge"]);
    run("ip", ["-n", hub, "link", "set", "bridge", "up"]);
    for (const [index, { name, address }] of [this.source, this.relay, ...this.sinks].entries()) {
      const port = `port${index}`;
      this.#add(name);
      run("ip", ["link", "add", LINK, "netns", name, "type", "veth", "peer", "name", port, "netns", hub]);
      run("ip", ["-n", hub, "link", "set", port, "master", "bridge", "up"]);
      run("ip", ["-n", name, "address", "add", `${address}/24`, "dev", LINK]);
      for (const link of ["lo", LINK]) run("ip", ["-n", name, "link", "set", link, "up"]);
    }
    if (mbits === undefined) return;
    const tbf = ["root", "tbf", "rate", `${mbits}mbit`, "burst", BURST, "latency", QUEUE];
    run("tc", ["-n", this.source.name, "qdisc", "add", "dev", LINK, ...tbf]);
    run("tc", ["-n", hub, "qdisc", "add", "dev", "port0", ...tbf]);
  }

  #name(role: string): string {
    return `${PREFIX}-${process.pid}-${role}`;
  }

  #add(name: string): void {
    run("ip", ["netns", "add", name]);
    this.#names.push(name);
  }
}

/** Of a bench that was killed by a signal that nobody can answer. */
function removeLeftOvers(): void {
  for (const line of run("ip", ["netns", "list"]).split("\n")) {
    const [name = ""] = line.split(" ");
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) run("ip", ["netns", "delete", name]);
  }
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status === 0) return stdout;
  const advice = args.includes("tbf") ? "; the kernel needs sch_tbf (modprobe sch_tbf)" : "";
  throw new Error(`"${command} ${args.join(" ")}" failed: ${stderr.trim()}${advice}`);
}
